package trytond

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// layout changes whenever fill does, so that no old database is taken.
const layout = "1"

// template returns the path of a database to copy, and makes it if there is none for the version
// that is installed. Other processes wait for the one that makes it.
func template() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "leadgate-tests")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	version, err := exec.Command("trytond", "--version").Output()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(layout + string(version) + AdminPassword + Password))
	file := filepath.Join(dir, fmt.Sprintf("tryton-%s-%s.sqlite", strings.TrimPrefix(strings.TrimSpace(string(version)), "trytond "), hex.EncodeToString(sum[:4])))
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	work, err := os.MkdirTemp(memory(), "leadgate-trytond-new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := build(work); err != nil {
		return "", fmt.Errorf("make a database of Tryton: %w", err)
	}
	b, err := os.ReadFile(filepath.Join(work, Database+".sqlite"))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return "", err
	}
	return file, os.Rename(file+".new", file)
}

// build makes a database in a directory.
func build(dir string) error {
	for name, text := range map[string]string{
		Database + ".sqlite": "", "pass": AdminPassword,
		"admin.conf": "[database]\nuri = sqlite://\npath = " + dir + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	admin := exec.Command("trytond-admin", "-c", filepath.Join(dir, "admin.conf"), "-d", Database,
		"-u", "sale_opportunity", "--activate-dependencies", "--email", "admin@vendor.example")
	admin.Env = append(os.Environ(), "TRYTONPASSFILE="+filepath.Join(dir, "pass"))
	if out, err := admin.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	s, err := start(dir)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.rpc.login(Admin, AdminPassword); err != nil {
		return err
	}
	return s.fill()
}

// fill makes what every database has: parties 1 and 2 are the company and its employee.
func (s *Server) fill() error {
	type m = map[string]any
	var ids []int
	var err error
	call := func(method string, params ...any) int {
		if err == nil {
			ids = nil
			err = s.rpc.model(&ids, method, params...)
		}
		if len(ids) == 0 {
			return 0
		}
		return ids[0]
	}
	currency := call("currency.currency.create", []m{{"name": "Euro", "code": Currency, "symbol": "€", "rounding": Decimal("0.01"), "digits": 2}})
	party := call("party.party.create", []m{{"name": Company}})
	company := call("company.company.create", []m{{"party": party, "currency": currency}})
	person := call("party.party.create", []m{{"name": Employee}})
	employee := call("company.employee.create", []m{{"party": person, "company": company}})
	groups := []int{}
	if err == nil {
		err = s.rpc.model(&groups, "res.group.search", []any{[]any{"name", "in", []string{"Sale Opportunity", "Sales"}}}, 0, 10, nil)
	}
	of := m{
		"companies": []any{[]any{"add", []int{company}}}, "company": company,
		"employees": []any{[]any{"add", []int{employee}}}, "employee": employee,
	}
	gateway := call("res.user.create", []m{{"name": "Leadgate", "login": User, "password": Password, "groups": []any{[]any{"add", groups}}}})
	for _, user := range []int{s.rpc.user, gateway} {
		if err == nil {
			err = s.rpc.model(nil, "res.user.write", []int{user}, of)
		}
	}
	return err
}

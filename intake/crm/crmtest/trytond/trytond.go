// Package trytond runs a real Tryton server for tests, with the module sale_opportunity, in a
// directory of its own, on a free loopback port, for as long as the test takes. It needs nothing but
// the programs (Debian: tryton-server, tryton-modules-sale-opportunity).
//
// Making a database takes some twenty seconds. It is made once for each machine, kept in the cache
// of the user, and copied.
package trytond

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What there is in a new database: a company with one employee, an administrator, and a user for
// the connector, who belongs to the groups that it needs.
const (
	Database = "leadgate"
	Company  = "Vendor Inc"
	Employee = "Ina Sales"
	Admin    = "admin"
	User     = "leadgate"
	// AdminPassword and Password are those of Admin and of User.
	AdminPassword = "correct-horse-battery"
	Password      = "Kq7-vun4.Lmx2zt"
	// Currency is that of the company.
	Currency = "EUR"
)

// Server is a running trytond.
type Server struct {
	URL string

	dir  string
	cmd  *exec.Cmd
	done chan error
	rpc  *rpc
}

// Require skips a test that needs a real Tryton: with -short, and where it is not installed, unless
// LEADGATE_REQUIRE_SERVERS=1 says that it must be.
func Require(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a real Tryton is left out with -short")
	}
	for _, p := range []string{"trytond", "trytond-admin", "python3"} {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, p+" is not installed (apt-get install tryton-server tryton-modules-sale-opportunity)")
		}
	}
	version, err := exec.Command("trytond", "--version").Output()
	if err != nil || !bytes.HasPrefix(version, []byte("trytond 6.0.")) {
		missing(t, fmt.Sprintf("the tests are for Tryton 6.0, this is %s", bytes.TrimSpace(version)))
	}
}

func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("LEADGATE_REQUIRE_SERVERS") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Start starts a server with a database of its own until the test ends.
func Start(t *testing.T) *Server {
	t.Helper()
	Require(t)
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(memory(), "leadgate-trytond-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, Database+".sqlite"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := start(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if err := s.rpc.login(Admin, AdminPassword); err != nil {
		t.Fatal(err)
	}
	return s
}

// memory is a directory that is not on a disk, where there is one: Tryton writes at every call.
func memory() string {
	if d, err := os.Stat("/dev/shm"); err == nil && d.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// start starts a server on the databases of a directory and waits until it answers.
func start(dir string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf("[database]\nuri = sqlite://\npath = %s\n[web]\nlisten = 127.0.0.1:%d\n", dir, port)
	if err := os.WriteFile(filepath.Join(dir, "trytond.conf"), []byte(conf), 0o600); err != nil {
		return nil, err
	}
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port), dir: dir, done: make(chan error, 1)}
	s.rpc = newRPC(s.URL)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.cmd = exec.Command("trytond", "-c", filepath.Join(dir, "trytond.conf"), "-d", Database)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.done <- s.cmd.Wait() }()
	if err := s.wait(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// wait waits until the server answers.
func (s *Server) wait() error {
	late := time.After(time.Minute)
	for {
		err := s.rpc.answers()
		if err == nil {
			return nil
		}
		select {
		case exit := <-s.done:
			s.done <- exit
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("trytond ended: %v\n%s", exit, log)
		case <-late:
			return fmt.Errorf("trytond does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server.
func (s *Server) stop() {
	s.rpc.http.CloseIdleConnections()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Call calls a method of a model as the administrator, past any connector; out takes the result.
// Decimals and dates are told as JSON-RPC has them.
func (s *Server) Call(out any, method string, params ...any) error {
	return s.rpc.model(out, method, params...)
}

// Win wins an opportunity the way that Tryton knows: it is converted to a sale, and that is
// confirmed.
func (s *Server) Win(opportunity int) error {
	var sales, addresses []int
	var rows []struct{ Party int }
	var err error
	do := func(out any, method string, params ...any) {
		if err == nil {
			err = s.Call(out, method, params...)
		}
	}
	first := func(ids []int) int {
		if len(ids) == 0 {
			err = cmp.Or(err, errors.New("the opportunity has no sale, or its party no address"))
			return 0
		}
		return ids[0]
	}
	do(nil, "sale.opportunity.opportunity", []int{opportunity})
	do(nil, "sale.opportunity.convert", []int{opportunity})
	do(&sales, "sale.sale.search", []any{[]any{"origin", "=", fmt.Sprintf("sale.opportunity,%d", opportunity)}}, 0, 1, nil)
	do(&rows, "sale.sale.read", sales, []string{"party"})
	for _, r := range rows {
		do(&addresses, "party.address.search", []any{[]any{"party", "=", r.Party}}, 0, 1, nil)
	}
	to := first(addresses)
	do(nil, "sale.sale.write", sales, map[string]any{"invoice_address": to, "shipment_address": to})
	do(nil, "sale.sale.quote", sales)
	do(nil, "sale.sale.confirm", sales)
	return err
}

// wipe empties the tables of what belongs to cases, but for what the database came with.
var wipe = []string{
	"delete from ir_note_read", "delete from ir_note", "delete from sale_line", "delete from sale_sale",
	"delete from sale_opportunity_line", "delete from sale_opportunity", "delete from sale_opportunity__history",
	"delete from party_contact_mechanism", "delete from company_employee where id > 1",
	"delete from party_address where party > 2", "delete from party_party_lang where party > 2",
	"delete from party_party where id > 2",
}

// Reset takes away all opportunities, sales, notes, and all parties but the company and its
// employee.
func (s *Server) Reset() error { return s.SQL(wipe...) }

// run runs the statements that are its arguments, beside the server.
const run = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20)
for statement in sys.argv[2:]: db.execute(statement)
db.commit()
`

// SQL does to the database what no call can.
func (s *Server) SQL(statements ...string) error {
	out, err := exec.Command("python3", append([]string{"-c", run, filepath.Join(s.dir, Database+".sqlite")}, statements...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("write to the database: %w: %s", err, out)
	}
	return nil
}

// Decimal and Date are values of JSON-RPC. Date takes YYYY-MM-DD; "" is null to both.
func Decimal(s string) any {
	if s == "" {
		return nil
	}
	return map[string]string{"__class__": "Decimal", "decimal": s}
}

// Date is a day of JSON-RPC.
func Date(s string) any {
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return nil
	}
	return map[string]any{"__class__": "date", "year": at.Year(), "month": int(at.Month()), "day": at.Day()}
}

// Text reads what Decimal and Date make, and null as "".
func Text(raw json.RawMessage) string {
	var v struct {
		Decimal          string
		Year, Month, Day int
	}
	if json.Unmarshal(raw, &v) == nil && v.Year != 0 {
		return fmt.Sprintf("%04d-%02d-%02d", v.Year, v.Month, v.Day)
	}
	if v.Decimal != "" {
		return v.Decimal
	}
	var text string
	_ = json.Unmarshal(raw, &text)
	return strings.TrimSpace(text)
}

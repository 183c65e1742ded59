package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/intake"
)

// fileOf writes a file of a name and returns its path.
func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// says runs a command that has to succeed.
func says(t *testing.T, args ...string) string {
	t.Helper()
	out, stderr, err := leadgate(t, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return out
}

// example is a list of examples/.
func example(file string) string { return filepath.Join("..", "..", "examples", file) }

func TestListsComeBackAsTheyWereExported(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	says(t, "partners", "import", example("partners.csv"), "--dir", p.dir)
	if out := says(t, "partners", "import", example("partners.yaml"), "--dir", p.dir, "--dry-run"); !strings.HasPrefix(out, "nothing changes: 3 partners") {
		t.Errorf("the two examples are not the same:\n%s", out)
	}
	says(t, "accounts", "import", example("accounts.csv"), "--dir", p.dir)
	for _, kind := range []string{"partners", "accounts"} {
		for _, format := range []string{"csv", "yaml"} {
			file := fileOf(t, kind+"."+format, says(t, kind, "export", "--format", format, "--dir", p.dir))
			for _, flags := range [][]string{nil, {"--dry-run"}, {map[string]string{"partners": "--remove-missing", "accounts": "--replace"}[kind]}} {
				args := append([]string{kind, "import", file, "--dir", p.dir}, flags...)
				if out := says(t, args...); !strings.HasPrefix(out, "nothing changes: ") {
					t.Errorf("%s %s %v:\n%s", kind, format, flags, out)
				}
			}
		}
	}
	if _, stderr, err := leadgate(t, "partners", "export", "--format", "xlsx", "--dir", p.dir); err == nil || !strings.Contains(stderr, "want csv or yaml") {
		t.Errorf("%v %s", err, stderr)
	}
}

func TestADryRunShowsWhatWouldChangeAndChangesNothing(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	file := fileOf(t, "partners.yaml", "partners:\n  - id: brightpath\n    tier: platinum\n    code: bright1\n  - id: new\n    name: New\n    domains: [new.example]\n  - id: kestrel-it\n")
	before := says(t, "partners", "export", "--dir", p.dir)
	out := says(t, "partners", "import", file, "--dry-run", "--dir", p.dir)
	for _, want := range []string{
		"brightpath: changed\n", "  code  (nothing) → BRIGHT1\n", "  tier  gold → platinum\n", "new: added\n", "  domains  new.example\n",
		"unchanged: kestrel-it\n", "dry run, nothing was changed: 1 added, 1 changed, 1 unchanged\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
	var done imported
	if err := json.Unmarshal([]byte(says(t, "partners", "import", file, "--dry-run", "--json", "--dir", p.dir)), &done); err != nil || done.Added != 1 || len(done.Changes) != 3 ||
		done.Changes[0].Fields[1].New != "platinum" {
		t.Errorf("%v %+v", err, done)
	}
	out = says(t, "partners", "import", file, "--dry-run", "--remove-missing", "--dir", p.dir)
	if strings.Count(out, "active → offboarded") != 8 || strings.Contains(out, "removed") {
		t.Errorf("not the eight others of the demo would be offboarded:\n%s", out)
	}
	if after := says(t, "partners", "export", "--dir", p.dir); after != before {
		t.Errorf("a dry run changed\n%s\nto\n%s", before, after)
	}
	says(t, "partners", "import", file, "--dir", p.dir)
	var shown intake.Partner
	err := json.Unmarshal([]byte(says(t, "partners", "show", "brightpath", "--json", "--dir", p.dir)), &shown)
	if err != nil || shown.Tier != "platinum" || shown.Name == "" || len(shown.Domains) == 0 {
		t.Errorf("what the file does not mention was lost: %v %+v", err, shown)
	}
	if _, stderr, err := leadgate(t, "partners", "show", "nobody", "--dir", p.dir); err == nil || !strings.Contains(stderr, "no partner is nobody") {
		t.Errorf("%v %s", err, stderr)
	}
}

func TestAFileWithFaultsTellsThemAllAndChangesNothing(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for _, tt := range []struct {
		kind, file, text string
		want             []string
	}{
		{"partners", "p.yaml", "partners:\n  - id: new\n    name: New\n    domains: [new.example]\n  - id: bad\n    status_from: soon\n    country: XX\n    domains:\n      - bad.example\n      - gmail.com\n      - kestrel-it.example\n", []string{
			"line 5 (bad): name: is missing", "line 6 (bad): status_from: \"soon\"", "line 7 (bad): country: \"XX\"", "line 10 (bad): domains[1]: \"gmail.com\"", "line 8 (bad): domains: kestrel-it.example belongs to partner kestrel-it already",
		}},
		{"partners", "p.yaml", "partners:\n  - id: new\n    name: New\n    domain: [new.example]\n", []string{"line 4: partners[0].domain: unknown key; did you mean domains?"}},
		{"accounts", "a.csv", "domain,aliases,parent,customer\nnew.example,,,\n\na.example,gmail.com,nowhere.example,maybe\n", []string{
			"line 4 (a.example): aliases[0]: \"gmail.com\"", "line 4 (a.example): parent: no account is nowhere.example", "line 4 (a.example): customer: \"maybe\"",
		}},
	} {
		for _, flags := range [][]string{nil, {"--dry-run"}} {
			args := append([]string{tt.kind, "import", fileOf(t, tt.file, tt.text), "--dir", p.dir}, flags...)
			out, stderr, err := leadgate(t, args...)
			if err == nil || out != "" || !strings.Contains(stderr, "nothing was imported") || strings.Count(stderr, "\nline ") != len(tt.want) {
				t.Errorf("%v: %s%s", err, out, stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("does not say %q:\n%s", want, stderr)
				}
			}
			out, _, err = leadgate(t, append(args, "--json")...)
			var done imported
			if e := json.Unmarshal([]byte(out), &done); err == nil || e != nil || len(done.Faults) != len(tt.want) || done.Faults[0].Line == 0 {
				t.Errorf("as JSON: %v, %v, %+v", err, e, done)
			}
		}
		if out := says(t, tt.kind, "export", "--dir", p.dir); strings.Contains(out, "new.example") {
			t.Errorf("a part of the file was imported:\n%s", out)
		}
	}
}

func TestAccountsAreListedShownReplacedAndRemoved(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	says(t, "accounts", "import", example("accounts.csv"), "--dir", p.dir)
	list := says(t, "accounts", "list", "--dir", p.dir)
	for _, want := range []string{"globex-energy.example  Globex Energy GmbH", "blocked: in talks with the founders", "customer"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not have %q:\n%s", want, list)
		}
	}
	if out := says(t, "accounts", "show", "www.globex-group.example", "--dir", p.dir); !strings.Contains(out, "domain     globex.example\n") || !strings.Contains(out, "renewal    2027-03-31\n") {
		t.Errorf("by an alias:\n%s", out)
	}
	if out := says(t, "accounts", "confirm-renewal", "globex-group.example", "--by", "mia", "--dir", p.dir); out != "globex.example: the renewal of 2027-03-31 is confirmed\n" {
		t.Error(out)
	}
	if out := says(t, "accounts", "show", "globex.example", "--dir", p.dir); !strings.Contains(out, "renewal_confirmed  2027-03-31\n") || !strings.Contains(out, "confirmed_by       mia\n") {
		t.Errorf("after it is confirmed:\n%s", out)
	}
	if _, stderr, err := leadgate(t, "accounts", "confirm-renewal", "initech.example", "--by", "mia", "--dir", p.dir); err == nil || !strings.Contains(stderr, "import its renewal first") {
		t.Errorf("%v %s", err, stderr)
	}
	part := fileOf(t, "part.csv", "domain,blocked\nhttps://www.Initech.example,\n")
	if out := says(t, "accounts", "import", part, "--dry-run", "--dir", p.dir); !strings.Contains(out, "initech.example: changed\n  blocked  in talks with the founders → (nothing)\n") || strings.Contains(out, "note") {
		t.Errorf("a part of the columns:\n%s", out)
	}
	out := says(t, "accounts", "import", part, "--replace", "--dir", p.dir)
	if !strings.Contains(out, "1 changed, 2 removed\n") {
		t.Error(out)
	}
	if out := says(t, "accounts", "export", "--format", "yaml", "--dir", p.dir); out != "accounts:\n  - domain: initech.example\n" {
		t.Errorf("a whole list leaves\n%s", out)
	}
	says(t, "accounts", "remove", "initech.example", "--dir", p.dir)
	for _, verb := range []string{"remove", "show"} {
		if _, stderr, err := leadgate(t, "accounts", verb, "initech.example", "--dir", p.dir); err == nil || !strings.Contains(stderr, "no account is initech.example") {
			t.Errorf("%s: %v %s", verb, err, stderr)
		}
	}
}

func TestAWholeListThatWouldEndMostOfThemIsRefusedUnlessItIsMeant(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	accounts := "domain\n"
	for _, d := range []string{"a", "b", "c", "d", "e", "f"} {
		accounts += d + "-company.example\n"
	}
	says(t, "accounts", "import", fileOf(t, "all.csv", accounts), "--dir", p.dir)
	for _, tt := range []struct{ kind, flag, empty, emptyYAML, few, want, after string }{
		{"partners", "--remove-missing", "id,name\n", "partners: []\n", "id\nbrightpath\n", "--remove-missing would offboard 9 of 10 partners", "9 changed"},
		{"accounts", "--replace", "domain\n", "accounts: []\n", "domain\na-company.example\nb-company.example\n", "--replace would remove 4 of 6 accounts", "4 removed"},
	} {
		before := says(t, tt.kind, "export", "--dir", p.dir)
		refused := func(want string, args ...string) {
			t.Helper()
			out, stderr, err := leadgate(t, append([]string{tt.kind, "import", "--dir", p.dir, tt.flag}, args...)...)
			if err == nil || out != "" || !strings.Contains(stderr, want) || !strings.Contains(stderr, "nothing was imported") {
				t.Errorf("%s %v: %v, want %q:\n%s%s", tt.kind, args, err, want, out, stderr)
			}
		}
		for name, text := range map[string]string{"none.csv": tt.empty, "none.yaml": tt.emptyYAML} {
			empty := fileOf(t, name, text)
			refused("names no "+strings.TrimSuffix(tt.kind, "s"), empty)
			refused("names no "+strings.TrimSuffix(tt.kind, "s"), empty, "--yes")
			refused("names no "+strings.TrimSuffix(tt.kind, "s"), empty, "--dry-run")
		}
		few := fileOf(t, "few.csv", tt.few)
		refused(tt.want, few)
		if out := says(t, tt.kind, "import", few, tt.flag, "--dry-run", "--dir", p.dir); !strings.Contains(out, tt.after) || !strings.Contains(out, "it takes --yes") {
			t.Errorf("a dry run:\n%s", out)
		}
		if after := says(t, tt.kind, "export", "--dir", p.dir); after != before {
			t.Errorf("what was refused changed\n%s\nto\n%s", before, after)
		}
		if out := says(t, tt.kind, "import", few, tt.flag, "--yes", "--dir", p.dir); !strings.Contains(out, tt.after) {
			t.Errorf("with --yes:\n%s", out)
		}
	}
}

func TestAPartnerWhoIsNotThereIsSaidSo(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for _, args := range [][]string{{"link", "nobody"}, {"link", "nobody", "--revoke"}} {
		args = append(append([]string{"partners"}, args...), "--dir", p.dir)
		if _, stderr, err := leadgate(t, args...); err == nil || !strings.Contains(stderr, `there is no partner "nobody"`) || strings.Contains(stderr, "record") {
			t.Errorf("%v: %v %s", args, err, stderr)
		}
	}
}

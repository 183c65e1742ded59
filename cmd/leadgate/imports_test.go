package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The drawing of the house: which package may import which others of ours, and which
// third-party modules. A trailing /* stands for all packages below. What a row does not
// list, its packages may not import; tests may import anything.
var drawing = []struct {
	pkg     string
	ours    []string
	foreign []string
}{
	{"cmd/leadgate", []string{"*"}, []string{"github.com/spf13/cobra"}},
	{"cmd/internal/app", []string{"*"}, []string{"github.com/labstack/echo/v4", "github.com/prometheus/client_golang", "golang.org/x/sync"}},
	{"cmd/internal/admin", []string{"channels/csvdrop", "channels/csvdrop/sheet", "intake", "intake/crm/ledger"}, nil},
	{"cmd/internal/config", []string{"channels/*", "intake", "intake/identity", "intake/crm/*", "rules", "templates"}, []string{"go.yaml.in/yaml/v3"}},
	{"cmd/internal/demo", []string{"cmd/internal/*", "channels/*", "intake", "intake/crm/ledger", "rules"}, []string{"github.com/labstack/echo/v4", "github.com/emersion/go-message"}},
	{"cmd/internal/directory", []string{"cmd/internal/config", "intake"}, []string{"go.yaml.in/yaml/v3"}},

	{"intake", []string{"intake/identity"}, nil},
	{"intake/identity", nil, []string{"github.com/nyaruka/phonenumbers", "golang.org/x/net", "golang.org/x/text"}},
	{"intake/extract", []string{"intake", "intake/identity"}, []string{"golang.org/x/net", "golang.org/x/text"}},
	{"intake/command", []string{"intake"}, nil},
	{"intake/cputime", nil, nil},
	{"intake/signature", nil, nil},
	{"intake/crm/remote", []string{"intake"}, []string{"golang.org/x/time/rate"}},
	{"intake/crm/crmtest/trytond", nil, nil},
	{"intake/crm/hubspot", []string{"intake", "intake/crm/remote", "intake/signature"}, nil},
	{"intake/crm/salesforce", []string{"intake", "intake/crm/remote"}, []string{"github.com/golang-jwt/jwt/v5"}},
	{"intake/crm/salesforce/salesforcetest", nil, []string{"github.com/golang-jwt/jwt/v5"}},
	{"intake/crm/*", []string{"intake", "intake/crm/remote"}, nil},
	{"rules", []string{"intake", "intake/identity"}, []string{"github.com/expr-lang/expr", "github.com/rickar/cal/v2"}},
	{"templates", []string{"intake"}, nil},

	{"store/storetest", []string{"intake", "store/*"}, []string{"pgregory.net/rapid"}},
	{"store/internal/canon", []string{"intake"}, nil},
	{"store/boltstore", []string{"intake", "store/internal/*"}, []string{"go.etcd.io/bbolt"}},
	{"store/*", []string{"intake", "store/internal/*"}, nil},

	{"channels", []string{"intake"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/pages", []string{"intake"}, []string{"github.com/labstack/echo/v4", "golang.org/x/text"}},
	{"channels/api", []string{"channels", "intake"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/pages/pagestest", []string{"channels/channeltest/npm"}, []string{"github.com/chromedp"}},
	{"channels/desk", []string{"channels", "channels/pages", "intake"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/webform", []string{"channels", "channels/pages", "channels/webform/captcha", "intake", "intake/identity"}, []string{"github.com/labstack/echo/v4", "golang.org/x/text"}},
	{"channels/csvdrop", []string{"channels", "channels/csvdrop/result", "channels/csvdrop/sheet", "channels/pages", "intake", "intake/extract", "intake/identity"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/csvdrop/sheet", []string{"intake", "intake/extract"}, []string{"github.com/gocarina/gocsv", "github.com/xuri/excelize/v2", "golang.org/x/text"}},
	{"channels/csvdrop/result", []string{"channels/csvdrop/sheet"}, []string{"github.com/gocarina/gocsv", "github.com/xuri/excelize/v2"}},
	{"channels/statuspage", []string{"channels", "channels/pages", "intake"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/chat", []string{"intake", "intake/command", "intake/identity", "templates"}, nil},
	{"channels/slackbot", []string{"channels", "channels/chat", "intake", "intake/identity", "templates"}, []string{"github.com/labstack/echo/v4", "github.com/slack-go/slack"}},
	{"channels/payload", []string{"intake"}, nil},
	{"channels/webhook", []string{"channels", "channels/payload", "intake", "intake/signature"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/meetings", []string{"channels", "channels/payload", "intake"}, nil},
	{"channels/channeltest", []string{"channels", "intake"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/channeltest/npm", nil, nil},
	{"channels/channeltest/mailserver", nil, []string{"github.com/emersion"}},
	{"channels/teamsbot", []string{"channels", "channels/chat", "channels/teamsbot/connector", "intake", "intake/command", "intake/extract", "intake/identity", "templates"}, []string{"github.com/labstack/echo/v4"}},
	{"channels/teamsbot/connector", []string{"channels/oauth", "intake"}, []string{"github.com/golang-jwt/jwt/v5", "github.com/infracloudio/msbotbuilder-go"}},
	{"channels/teamsbot/teamstest", []string{"channels/channeltest/npm"}, []string{"github.com/golang-jwt/jwt/v5"}},
	{"examples/teams", nil, nil},
	{"channels/webform/captcha", nil, []string{"github.com/altcha-org/altcha-lib-go"}},
	{"channels/mailbox/mailparse", nil, []string{"golang.org/x/text"}},
	{"channels/oauth", nil, []string{"github.com/emersion/go-sasl", "golang.org/x/oauth2"}},
	{"channels/mailbox/senderauth", []string{"channels/mailbox/mailparse", "intake"}, []string{"blitiri.com.ar/go/spf", "github.com/emersion/go-msgauth", "golang.org/x/net"}},
	{"channels/mailbox", []string{"channels", "channels/mailbox/*", "channels/oauth", "intake", "intake/command", "intake/extract", "intake/identity"}, []string{"github.com/emersion", "golang.org/x/net", "golang.org/x/sync", "golang.org/x/text"}},
}

const module = "leadgate/"

func TestPackagesImportOnlyWhatTheDrawingAllows(t *testing.T) {
	root := os.DirFS("../..")
	seen := make(map[string]bool)
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && file != "." {
			return fs.SkipDir
		}
		if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		pkg := path.Dir(file)
		row := slices.IndexFunc(drawing, func(r struct {
			pkg     string
			ours    []string
			foreign []string
		},
		) bool {
			return matches(r.pkg, pkg)
		})
		if row < 0 {
			t.Errorf("%s is not in the drawing", pkg)
			return nil
		}
		seen[drawing[row].pkg] = true
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", file), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !allowed(imported, drawing[row].ours, drawing[row].foreign) {
				t.Errorf("%s imports %s, which the drawing does not allow", file, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range drawing {
		if !seen[r.pkg] {
			t.Errorf("the drawing has %s, the house does not", r.pkg)
		}
	}
}

func matches(pattern, pkg string) bool {
	if pattern == "*" {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(pkg, below+"/")
	}
	return pattern == pkg
}

func allowed(imported string, ours, foreign []string) bool {
	if pkg, ok := strings.CutPrefix(imported, module); ok {
		return slices.ContainsFunc(ours, func(pattern string) bool { return matches(pattern, pkg) })
	}
	if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
		return true // standard library
	}
	return slices.ContainsFunc(foreign, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
}

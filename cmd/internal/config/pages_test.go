package config

import (
	"strings"
	"testing"
)

func TestPagesAndStaffAreReadAndTheirFaultsTold(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"pages behind a proxy":           {`pages: {listen: "127.0.0.1:8080", url: "https://partners.vendor.example", trusted_proxies: [127.0.0.0/8]}`, ""},
		"pages on this machine, to try":  {`pages: {listen: "127.0.0.1:8080", url: "http://localhost:8080"}`, ""},
		"no pages":                       {`pages: {}`, ""},
		"no port":                        {`pages: {listen: "8080", url: "https://a.example"}`, `line 12: pages.listen: "8080": want host:port`},
		"no address to the outside":      {`pages: {listen: ":8080"}`, "line 12: pages.url: is missing"},
		"no address to listen on":        {`pages: {url: "https://a.example"}`, "line 12: pages.listen: is missing"},
		"an address in the clear":        {`pages: {listen: ":8080", url: "http://a.example"}`, "is not https"},
		"an address with a query":        {`pages: {listen: ":8080", url: "https://a.example/?a=b"}`, "is not a URL like"},
		"an address with a password":     {`pages: {listen: ":8080", url: "https://u:p@a.example"}`, "is not a URL like"},
		"an address that is none":        {`pages: {listen: ":8080", url: "a.example"}`, "is not a URL like"},
		"a proxy that is no network":     {`pages: {listen: ":8080", url: "https://a.example", trusted_proxies: [10.0.0.1]}`, `pages.trusted_proxies[0]: "10.0.0.1" is not a network`},
		"a key that is none":             {`pages: {listen: ":8080", url: "https://a.example", trust: []}`, "pages.trust: unknown key"},
		"staff":                          {`staff: [{name: mia, email: mia@v.example, roles: [admin, reviewer]}, {name: jo, email: jo@v.example, roles: [partner_manager], partners: [alpha]}]`, ""},
		"staff without a name":           {`staff: [{email: mia@v.example, roles: [admin]}]`, "staff[0].name: is missing"},
		"staff without an address":       {`staff: [{name: mia, email: Mia <mia@v.example>, roles: [admin]}]`, "staff[0].email: "},
		"staff without a role":           {`staff: [{name: mia, email: mia@v.example}]`, "staff[0].roles: is missing"},
		"a role that is none":            {`staff: [{name: mia, email: mia@v.example, roles: [admin, king]}]`, `staff[0].roles[1]: "king" is none of`},
		"two of one name":                {`staff: [{name: mia, email: a@v.example, roles: [admin]}, {name: mia, email: b@v.example, roles: [admin]}]`, `staff[1].name: "mia" is somebody else's`},
		"two of one address":             {`staff: [{name: mia, email: a@v.example, roles: [admin]}, {name: jo, email: A@v.example, roles: [admin]}]`, `staff[1].email: "a@v.example" is somebody else's`},
		"one whose name is his address":  {`staff: [{name: mia@v.example, email: mia@v.example, roles: [admin]}]`, ""},
		"one who is called like another": {`staff: [{name: jo@v.example, email: a@v.example, roles: [admin]}, {name: b, email: jo@v.example, roles: [admin]}]`, "is somebody else's"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "leadgate.yaml", good+tt.text+"\n"))
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAProxyWhoseWordIsNotTakenIsWarnedOf(t *testing.T) {
	for name, tt := range map[string]struct {
		pages Pages
		want  bool
	}{
		"no pages":         {Pages{}, false},
		"no proxy":         {Pages{Listen: ":443", URL: "https://a.example"}, false},
		"to try":           {Pages{Listen: "127.0.0.1:8080", URL: "http://127.0.0.1:8080"}, false},
		"a proxy":          {Pages{Listen: "127.0.0.1:8080", URL: "https://a.example"}, true},
		"a trusted proxy":  {Pages{Listen: "127.0.0.1:8080", URL: "https://a.example", TrustedProxies: []string{"127.0.0.0/8"}}, false},
		"a proxy, by IPv6": {Pages{Listen: "[::1]:8080", URL: "https://a.example"}, true},
	} {
		if got := len(Config{Pages: tt.pages}.Warnings()) > 0; got != tt.want {
			t.Errorf("%s: warned %v", name, got)
		}
	}
}

func TestTwoListenersAtOneAddressAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"pages where the probes are":          {`pages: {listen: "127.0.0.1:9464", url: "http://localhost:9464"}`, `line 12: pages.listen: "127.0.0.1:9464" is taken by admin.listen ("127.0.0.1:9464")`},
		"pages everywhere":                    {`pages: {listen: ":9464", url: "https://a.example"}`, `line 12: pages.listen: ":9464" is taken by admin.listen`},
		"by another name":                     {`pages: {listen: "localhost:9464", url: "http://localhost:9464"}`, "pages.listen: "},
		"the probes moved to where pages are": {"admin: {listen: \"127.0.0.1:8080\"}\npages: {listen: \"127.0.0.1:8080\", url: \"http://localhost:8080\"}", "line 13: pages.listen: "},
		"other ports":                         {`pages: {listen: "127.0.0.1:8080", url: "http://localhost:8080"}`, ""},
		"other addresses":                     {`pages: {listen: "10.0.0.1:9464", url: "https://a.example"}`, ""},
		"any port":                            {"admin: {listen: \"127.0.0.1:0\"}\npages: {listen: \"127.0.0.1:0\", url: \"http://localhost:8080\"}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "leadgate.yaml", good+tt.text+"\n"))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	mail := strings.Replace(good, "127.0.0.1:0", "127.0.0.1:9464", 1)
	_, err := Load(write(t, "leadgate.yaml", mail))
	if err == nil || !strings.Contains(err.Error(), `line 9: mailboxes[0].direct.listen: "127.0.0.1:9464" is taken by admin.listen`) {
		t.Errorf("error %v", err)
	}
}

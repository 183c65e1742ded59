package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

func TestALongListOfNobodysIsToldToBeSoAndAGatewayThatEndsInPlainWords(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	file := filepath.Join(t.TempDir(), "leads.csv")
	writeFile(t, file, list(0, 2, 0)+strings.Repeat("\n", 9<<20))
	for _, more := range [][]string{nil, {"--dry-run"}} {
		_, stderr, err := leadgate(t, append([]string{"import", file, "--dir", p.dir, "--partner", "nobody"}, more...)...)
		if err == nil || !strings.Contains(stderr, `no partner has the id, code or domain "nobody"`) {
			t.Errorf("%v %v: %s", more, err, stderr)
		}
	}
	c := p.client(t)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.drained
	p.cmd.Wait()
	_, gone := c.Import(t.Context(), "x")
	_, started := c.StartImport(t.Context(), admin.NewImport{Partner: "brightpath"}, bytes.Repeat([]byte("x"), 1<<20))
	_, tried := c.TryImport(t.Context(), admin.NewImport{Partner: "brightpath"}, nil, nil)
	for _, err := range []error{gone, started, tried} {
		if err == nil || err.Error() != "the gateway has stopped answering" || errors.Is(err, intake.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
}

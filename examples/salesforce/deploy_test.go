package salesforce

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/intake/crm/salesforce/salesforcetest"
)

// The org of the connector's tests knows no more of the gateway's fields and rights than what this
// package deploys, so whatever the connector uses is in it. Here it is held to being one.
func TestThePackageIsOneThatCanBeDeployed(t *testing.T) {
	b, err := os.ReadFile("sfdx-project.json")
	if err != nil {
		t.Fatal(err)
	}
	var project struct {
		Packages []struct {
			Path    string `json:"path"`
			Default bool   `json:"default"`
		} `json:"packageDirectories"`
		Version string `json:"sourceApiVersion"`
	}
	if err := json.Unmarshal(b, &project); err != nil || len(project.Packages) != 1 || !project.Packages[0].Default {
		t.Fatalf("%v %+v", err, project)
	}
	if project.Version != salesforcetest.Version {
		t.Errorf("the source is of version %s, the connector of %s", project.Version, salesforcetest.Version)
	}
	files := 0
	err = filepath.WalkDir(project.Packages[0].Path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		if !strings.HasSuffix(name, "-meta.xml") {
			t.Errorf("%s is no metadata", name)
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		depth, elements := 0, 0
		for d := xml.NewDecoder(f); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return nil
			}
			switch e := token.(type) {
			case xml.StartElement:
				elements++
				if depth++; e.Name.Space != "http://soap.sforce.com/2006/04/metadata" {
					t.Errorf("%s: %s is not of the metadata API", name, e.Name.Local)
				}
			case xml.EndElement:
				depth--
			}
		}
		if depth != 0 || elements < 3 {
			t.Errorf("%s: it ends too early", name)
		}
		return nil
	})
	if err != nil || files < 50 {
		t.Errorf("%d files, %v", files, err)
	}
	if _, err := salesforcetest.New(os.DirFS("."), nil); err != nil {
		t.Error(err)
	}
}

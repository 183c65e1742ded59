package teams

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/channels/channeltest/npm"
)

func values() Values {
	return Values{AppID: "00000000-0000-4000-8000-00000000b071", Program: `Northwind "Partner" Programme of a rather long name`, URL: "https://partners.vendor.example", Privacy: "https://vendor.example/privacy"}
}

func TestThePackageHoldsAFilledInManifestAndIconsOfTheRightSize(t *testing.T) {
	var b, again bytes.Buffer
	if err := Write(&b, values()); err != nil {
		t.Fatal(err)
	}
	if err := Write(&again, values()); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("made twice, it is another one; %v", err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{"color.png": 192, "outline.png": 32}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "manifest.json" {
			if bytes.Contains(content, []byte("{{")) || !json.Valid(content) {
				t.Errorf("not filled in:\n%s", content)
			}
			continue
		}
		img, err := png.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Dx(); size != sizes[f.Name] || size != img.Bounds().Dy() {
			t.Errorf("%s is %v", f.Name, img.Bounds())
		}
		delete(sizes, f.Name)
	}
	if len(sizes) > 0 || len(z.File) != 3 {
		t.Errorf("%d files, without %v", len(z.File), sizes)
	}
	if dir := os.Getenv("LEADGATE_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "teams-app.zip"), b.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
}

func TestAManifestIsNotMadeOfWhatTeamsRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Values){
		"no app id": func(v *Values) { v.AppID = "" }, "an app id that is none": func(v *Values) { v.AppID = "leadgate" },
		"pages without TLS": func(v *Values) { v.URL = "http://partners.vendor.example" }, "no pages": func(v *Values) { v.URL = "" },
		"no vendor": func(v *Values) { v.Program = " " }, "privacy by mail": func(v *Values) { v.Privacy = "mailto:x@vendor.example" },
	} {
		v := values()
		spoil(&v)
		if _, err := Manifest(v); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// validate prints what is wrong with each of the manifests that it is given, by Microsoft's schema.
const validate = `
const Ajv = require("ajv-draft-04").default || require("ajv-draft-04"), formats = require("ajv-formats"), fs = require("fs");
const schema = JSON.parse(fs.readFileSync("node_modules/@microsoft/app-manifest/build/json-schemas/teams/v1.25/MicrosoftTeams.schema.json", "utf8").replace(/^\uFEFF/, ""));
const ajv = new Ajv({strict: false, allErrors: true});
(formats.default || formats)(ajv);
const check = ajv.compile(schema);
console.log(JSON.stringify(process.argv.slice(1).map(f => check(JSON.parse(fs.readFileSync(f, "utf8"))) ? [] : check.errors.map(e => e.instancePath + " " + e.message))));
`

func TestTheManifestIsGoodByTheSchemaOfMicrosoft(t *testing.T) {
	dir := npm.Require(t, "@microsoft/app-manifest@1.1.2")
	good, err := Manifest(values())
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	var files []string
	for i, m := range []string{
		string(good), manifest, strings.Replace(string(good), `"personal", "team"`, `"everywhere", "team"`, 1),
		strings.Replace(string(good), `"accentColor"`, `"accentColour"`, 1),
	} {
		file := filepath.Join(temp, string(rune('a'+i))+".json")
		if err := os.WriteFile(file, []byte(m), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	cmd := exec.Command("node", append([]string{"-e", validate, "--"}, files...)...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var wrong [][]string
	if err := json.Unmarshal(out, &wrong); err != nil || len(wrong) != len(files) {
		t.Fatalf("%s: %v", out, err)
	}
	if len(wrong[0]) > 0 {
		t.Errorf("wrong with the manifest: %q", wrong[0])
	}
	for i, name := range []string{"the template", "another scope", "a misspelt key"} {
		if len(wrong[i+1]) == 0 {
			t.Errorf("the schema finds nothing wrong with %s", name)
		}
	}
}

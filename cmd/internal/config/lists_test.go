package config

import (
	"strings"
	"testing"
	"time"

	"leadgate/channels/csvdrop"
)

func TestTheFolderOfListsIsApartFromTheData(t *testing.T) {
	for name, c := range map[string]struct {
		folder csvdrop.FolderConfig
		fault  string
	}{
		"no folder":                          {},
		"a folder beside the data":           {folder: csvdrop.FolderConfig{Path: "/srv/leadgate"}},
		"a name that begins like the data's": {folder: csvdrop.FolderConfig{Path: "/var/lib/leadgate-lists"}},
		"a folder in the data":               {csvdrop.FolderConfig{Path: "/var/lib/leadgate/lists"}, "lists.folder.path"},
		"a folder around the data":           {csvdrop.FolderConfig{Path: "/var/lib"}, "lists.folder.path"},
		"the data":                           {csvdrop.FolderConfig{Path: "/var/lib/leadgate"}, "lists.folder.path"},
		"times without a folder":             {csvdrop.FolderConfig{Every: time.Second}, "lists.folder.path"},
		"looked at all the time":             {csvdrop.FolderConfig{Path: "/srv", Every: time.Millisecond}, "lists.folder.every"},
		"a time that is none":                {csvdrop.FolderConfig{Path: "/srv", Settle: -time.Second}, "lists.folder.settle"},
	} {
		faults := Config{Data: "/var/lib/leadgate", Lists: Lists{Page: csvdrop.DefaultPageConfig(), Folder: c.folder}}.validateLists()
		var paths []string
		for _, f := range faults {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); got != c.fault {
			t.Errorf("%s: %q, want %q: %v", name, got, c.fault, faults)
		}
	}
}

package config

import (
	"path/filepath"
	"strings"

	"leadgate/channels/csvdrop"
)

// Lists says how files of registrations come in beside mail and pages.
type Lists struct {
	// Folder is watched.
	Folder csvdrop.FolderConfig `yaml:"folder"`
}

func (c Config) validateLists() Faults {
	var faults Faults
	for _, err := range unjoin(c.Lists.Folder.Validate()) {
		faults = append(faults, inside("lists.folder", err))
	}
	if p := c.Lists.Folder.Path; p != "" && c.Data != "" && (within(p, c.Data) || within(c.Data, p)) {
		faults = append(faults, Fault{Path: "lists.folder.path", Problem: "partners must not get at data; choose a directory that is not in it, nor around it"})
	}
	return faults
}

// within reports whether a path is in a directory, or is it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

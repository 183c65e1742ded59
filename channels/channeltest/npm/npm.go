// Package npm fetches packages of the npm registry for tests that need a peer which nobody here
// has written. They lie in the user's cache; nothing of them is in the repository, and none of
// their install scripts is run.
package npm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Require returns a directory whose node_modules holds packages, each with its exact version:
// "axe-core@4.14.1". A test is skipped with -short, and where they can't be had, unless
// LEADGATE_REQUIRE_SERVERS=1 says that they must be.
func Require(t testing.TB, packages ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("packages of npm are left out with -short")
	}
	dir, err := Install(packages...)
	switch {
	case err == nil:
		return dir
	case os.Getenv("LEADGATE_REQUIRE_SERVERS") == "1":
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// Install is Require without a test. What is in the cache is not fetched again.
func Install(packages ...string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(packages)), "\n")))
	dir := filepath.Join(cache, "leadgate-test", "npm-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := fetch(dir, packages); err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(packages, ", "), err)
	}
	return dir, nil
}

// fetch has npm put packages into a directory, which is there only with all of them. Several test
// binaries may do so at once: the first one's is kept.
func fetch(dir string, packages []string) error {
	program, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not installed (apt-get install nodejs npm)")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	cmd := exec.Command(program, append([]string{"install", "--prefix", temp, "--ignore-scripts", "--no-save", "--no-audit", "--no-fund"}, packages...)...)
	cmd.Dir = temp
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm install: %w: %s", err, strings.TrimSpace(said.String()))
	}
	err = os.Rename(temp, dir)
	if _, there := os.Stat(dir); there == nil {
		return nil // another has just put it there
	}
	return err
}

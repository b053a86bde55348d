package fakekafka_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"retorno/deploy/lab/fakekafka"
)

// What cannot work is an error that says why, and leaves nothing behind; a second Stop does nothing.
func TestEmbeddedBrokerRefusesWhatCannotWork(t *testing.T) {
	taken, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Stop() })
	if _, err := fakekafka.Start(fakekafka.Config{Addr: taken.Addr()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a taken port is answered with %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fakekafka.Start(fakekafka.Config{Dir: filepath.Join(file, "dir")}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("an impossible folder is answered with %v", err)
	}
	dir := t.TempDir()
	for range 2 {
		// A failed start frees the folder.
		if _, err := fakekafka.Start(fakekafka.Config{Dir: dir, Addr: taken.Addr()}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a taken port is answered with %v", err)
		}
	}
	again, err := fakekafka.Start(fakekafka.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := again.Stop(); err != nil {
			t.Error(err)
		}
	}
}

package embedded

import (
	"errors"
	"strings"
	"testing"
)

func TestFullDiskIsSaid(t *testing.T) {
	dir := t.TempDir()
	lock, err := claimFolder(dir, 1<<60)
	if !errors.Is(err, ErrFolderUnusable) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "MB free") {
		t.Errorf("got %v, %v", lock, err)
	}
	if lock, err = claimFolder(dir, minFree); err != nil { // the refused claim let go of the lock
		t.Fatal(err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}

package dispatch

import (
	"os"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"retorno/producers/disk"
	"retorno/producers/journal"
)

// forgetAck cuts the journal off before its first acknowledgement, as a power cut does with what was not synced.
func forgetAck(t *testing.T, path string) {
	t.Helper()
	cut := int64(-1)
	v, err := journal.View(disk.OS{}, path, func(_ uint64, at int64, b []byte) error {
		if field, _, _ := protowire.ConsumeTag(b); field == 8 && cut < 0 {
			cut = at
		}
		return nil
	})
	if err != nil || cut < 0 {
		t.Fatal("no acknowledgement", err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, cut); err != nil {
		t.Fatal(err)
	}
}

package paper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"retorno/producers/disk"
)

func open(t *testing.T, file string) *Book {
	t.Helper()
	b, err := Open(disk.OS{}, file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func number(t *testing.T, text string) Number {
	t.Helper()
	n, ok := Parse(text)
	if !ok {
		t.Fatal(text)
	}
	return n
}

// Each number that was received is captured, void or missing; none is two of these; a start changes nothing.
func TestEachNumberHasOneState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "forms")
	b := open(t, file)
	steps := []struct {
		do   func() error
		want error
	}{
		{func() error { return b.Receive("OMO-000101", "omo-000150") }, nil},
		{func() error { return b.Receive("7", "9") }, nil},
		{func() error { return b.Receive("OMO-150", "OMO-160") }, ErrOverlap},
		{func() error { return b.Receive("9", "7") }, ErrRange},
		{func() error { return b.Receive("A1", "B2") }, ErrRange},
		{func() error { return b.Receive("A", "B2") }, ErrNumber},
		{func() error { return b.Receive("X1", "X200000") }, ErrTooMany},
		{func() error { return b.MakeVoid("OMO-102", Spoiled) }, nil},
		{func() error { return b.MakeVoid("OMO-102", Lost) }, ErrVoid},
		{func() error { return b.MakeVoid("OMO-99", Lost) }, ErrUnknown},
		{func() error { return b.MakeVoid("OMO-103", "whatever") }, ErrReason},
		{func() error {
			return b.Mark(map[Number]bool{number(t, "OMO-101"): true, number(t, "omo-0104"): true, number(t, "5555"): true})
		}, nil},
		{func() error { return b.MakeVoid("OMO-101", Lost) }, ErrUsed},
		{func() error { return b.Mark(map[Number]bool{number(t, "OMO-104"): false}) }, nil},
	}
	for i, s := range steps {
		if err := s.do(); !errors.Is(err, s.want) || s.want == nil && err != nil {
			t.Errorf("step %d: %v, want %v", i, err, s.want)
		}
	}
	for _, book := range []*Book{b, open(t, file)} {
		got := fmt.Sprint(book.Missing(), " ")
		for _, r := range book.Rows() {
			got += fmt.Sprintf("{%v %d %d %d} ", r.Range, r.Captured, r.Void, r.Missing)
		}
		got += fmt.Sprint(book.MissingRanges(4))
		if want := "51 {7–9 0 0 3} {OMO-101–OMO-150 1 1 48} [7–9 OMO-103]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if received, used, void, any := book.State(number(t, "5555")); received || !used || void != "" || !any {
			t.Error("a number that was not received is not as it must be")
		}
	}
}

// One damaged copy costs nothing; two are said, and the book can be used.
func TestDamagedFileIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "forms")
	if err := open(t, file).Receive("1", "10"); err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(file + "*")
	if err != nil || len(copies) != 2 {
		t.Fatalf("%v %v", copies, err)
	}
	for i, name := range copies {
		if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := Open(disk.OS{}, file)
		if (err != nil) != (i == 1) || b.Missing() != 10*(1-i) {
			t.Errorf("%d damaged: %v, %d missing", i+1, err, b.Missing())
		}
	}
}

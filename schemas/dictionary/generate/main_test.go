package main

import (
	"bytes"
	"os"
	"testing"
)

// TestGeneratedIsCurrent: what is committed is what the table says.
func TestGeneratedIsCurrent(t *testing.T) {
	want, err := coded()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../coded.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("coded.go is not what attributes.csv says: run make generate")
	}
	proto, err := os.ReadFile("../" + protoFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, have, found := bytes.Cut(proto, []byte(begin)); !found || string(have) != bodies() {
		t.Error("events.proto is not what attributes.csv says: run make generate")
	}
	if have, err := os.ReadFile("../" + pageFile); err != nil || string(have) != page() {
		t.Errorf("docs/data-dictionary.md is not what attributes.csv says: run make generate (%v)", err)
	}
	text, err := os.ReadFile("../" + methodFile)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := method(string(text)); err != nil || string(text) != want {
		t.Errorf("METHOD.md is not what attributes.csv says: run make generate (%v)", err)
	}
}

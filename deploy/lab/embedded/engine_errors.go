package embedded

import (
	"errors"
	"fmt"

	"retorno/deploy/lab/embedded/enginefetch"
)

// Errors of StartEngine; messages name the folder, file or address.
var (
	// ErrNoEngine: there is no engine library and none could be fetched.
	ErrNoEngine = enginefetch.ErrNoEngine
	// ErrFolderInUse: another engine works in the data folder.
	ErrFolderInUse = errors.New("data folder is in use")
	// ErrFolderUnusable: the data folder cannot be made or written, or its disk is full.
	ErrFolderUnusable = errors.New("data folder cannot be used")
	// ErrAddressInUse: a listen address is taken or is not this machine's.
	ErrAddressInUse = errors.New("address cannot be listened on")
	// ErrEngineDied: the engine's process ended without being asked to.
	ErrEngineDied = errors.New("the ClickHouse engine died")
)

// kinds carries the type of an error over from the child.
var kinds = map[string]error{
	"engine": ErrNoEngine, "in-use": ErrFolderInUse, "folder": ErrFolderUnusable, "address": ErrAddressInUse,
}

func kindOf(err error) string {
	for kind, sentinel := range kinds {
		if errors.Is(err, sentinel) {
			return kind
		}
	}
	return ""
}

// childError is an error of the child's with its type restored.
type childError struct {
	text string
	kind error
}

func (e *childError) Error() string { return e.text }
func (e *childError) Unwrap() error { return e.kind }

// engineReport is the one thing the child says to its parent.
type engineReport struct {
	Native, HTTP, Version string
	Confined              bool
	Error, Kind           string
}

func (r engineReport) error() error {
	if r.Error == "" {
		return nil
	}
	if kind := kinds[r.Kind]; kind != nil {
		return &childError{text: r.Error, kind: kind}
	}
	return fmt.Errorf("start the engine: %s", r.Error)
}

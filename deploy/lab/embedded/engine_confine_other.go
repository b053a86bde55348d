//go:build !linux

package embedded

import "errors"

// errNotConfinable says that this system cannot confine a process to a folder.
var errNotConfinable = errors.New("this system cannot confine the engine to its folder")

func confine(string, string) error { return errNotConfinable }

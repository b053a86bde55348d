//go:build !linux

package bench

import "syscall"

// diesWithParent has no meaning here: a child outlives a parent that is killed.
func diesWithParent() *syscall.SysProcAttr { return nil }

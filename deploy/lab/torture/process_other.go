//go:build !linux

package torture

import "syscall"

// dieWithParent has no meaning here: a child outlives a parent that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }

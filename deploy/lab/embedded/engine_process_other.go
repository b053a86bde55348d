//go:build !linux

package embedded

import "syscall"

// dieWithParent: elsewhere the end of standard input is what tells the engine that its parent is gone.
func dieWithParent() *syscall.SysProcAttr { return nil }

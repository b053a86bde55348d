//go:build unix && !linux

package apachekafka

import "syscall"

// diesWithParent has nothing to offer here: outside Linux a child whose parent
// is killed stays until it is ended by hand.
func diesWithParent() *syscall.SysProcAttr { return nil }

package embedded

import "syscall"

// dieWithParent makes the kernel kill the engine when its parent is gone.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

package embedded

import (
	"fmt"

	seccomp "github.com/elastic/go-seccomp-bpf"
)

// outsideCalls are the ways out of a process that Landlock does not guard: to other computers, to other programs, and
// into the memory of other processes. The listeners are there before they are shut; connections that come in go on.
var outsideCalls = []string{
	"socket", "connect", "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "io_uring_setup", "open_by_handle_at", "bpf",
	"pidfd_getfd", "keyctl", "userfaultfd", "perf_event_open",
}

// shutOutside makes the kernel refuse all of them to this process from now on (seccomp).
func shutOutside() error {
	err := seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionErrno, Names: outsideCalls}},
		},
	})
	if err != nil {
		return fmt.Errorf("shut the engine off: %w", err)
	}
	return nil
}

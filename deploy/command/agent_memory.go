package command

import (
	"context"
	"debug/elf"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The computers at posts are small: agentMemory bounds what the program takes for itself softly, in bytes, and
// agentGarbage is how much of it may be garbage, in percent of what is in use.
const (
	agentMemory  = 40 << 20
	agentGarbage = 25
)

// boundMemory bounds what the program takes from its start on.
func boundMemory() {
	debug.SetMemoryLimit(agentMemory)
	leaveProgram()
}

// collectOften has garbage collected sooner. It comes after the store is open, which it would make slow.
func collectOften() { debug.SetGCPercent(agentGarbage) }

// leaveOften gives back the memory that the garbage collector holds free, and pages of the program that nothing uses, after
// the start and then each ten seconds: a computer at a post has little.
func leaveOften(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		debug.FreeOSMemory()
		leaveProgram()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// leaveProgram takes the pages of the program's file out of this process. One program has all commands in it, and the start of
// it reads most of the 48 MB; what is used comes back from the system's cache of the file, a sixth of it. It changes nothing
// that was written: only segments that are never written are left. A system that does not do it keeps them.
func leaveProgram() {
	for _, s := range fixedSegments() {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, s.from, s.size, unix.MADV_DONTNEED)
	}
}

// segment is a part of this process's memory, in whole pages.
type segment struct{ from, size uintptr }

// fixedSegments are what is mapped of the program's file for reading and running only. They are read once, from the file that
// runs: another one may stand in its place later.
var fixedSegments = sync.OnceValue(func() (all []segment) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil
	}
	defer f.Close()
	program, err := elf.NewFile(f)
	if err != nil || program.Type != elf.ET_EXEC { // at addresses of its own choice
		return nil
	}
	page := uint64(os.Getpagesize())
	for _, p := range program.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W != 0 {
			continue
		}
		from, to := p.Vaddr&^(page-1), (p.Vaddr+p.Memsz)&^(page-1)
		if to > from {
			all = append(all, segment{uintptr(from), uintptr(to - from)})
		}
	}
	return all
})

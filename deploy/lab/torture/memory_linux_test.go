package torture

import (
	"os"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"unsafe"
)

// limitData lets a process have so many bytes of data and no more: what it has it keeps.
func limitData(pid int, bytes uint64) error {
	limit := syscall.Rlimit{Cur: bytes, Max: bytes}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_DATA, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// TestF35MemoryLimit: a process that gets no more memory in the middle of its work dies; the next one, which gets
// enough, comes to the right numbers. That it is another process shows in process_start_time_seconds.
func TestF35MemoryLimit(t *testing.T) {
	a := newAlone(t)
	events := a.made.Counts().Events
	if err := a.send(t.Context(), 0, events/10); err != nil {
		t.Fatal(err)
	}
	if err := a.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	const startTime = "process_start_time_seconds"
	before := a.metric(t.Context(), startTime)
	a.c.mu.Lock()
	pid := a.c.process.Pid
	a.c.mu.Unlock()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	kB, err := strconv.ParseUint(string(regexp.MustCompile(`(?m)^VmData:\s+(\d+) kB`).FindSubmatch(status)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := limitData(pid, kB<<10); err != nil {
		t.Fatal(err)
	}
	if err := a.send(t.Context(), events/10, events); err != nil {
		t.Fatal(err)
	}
	a.until(t, "another process", func() bool { return a.started() > 1 })
	if !a.log.has(`out of memory|cannot allocate memory`) || a.started() != 2 {
		t.Errorf("the process died %d times, and not for want of memory", a.started()-1)
	}
	a.until(t, startTime, func() bool { return a.metric(t.Context(), startTime) > before })
	a.isTrue(t)
}

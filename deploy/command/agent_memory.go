package command

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// leaveOften gives memory back after the start and then each minute: what the garbage collector holds free, and the
// parts of the program that are not in use.
func leaveOften(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
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

// leaveProgram gives back the memory that holds the program itself: the code of all commands is in one file, and an agent
// uses little of it. What is needed is read from the file once more. A system that cannot do so keeps it.
func leaveProgram() {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var from, to uintptr
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[5] != program || strings.Contains(fields[1], "w") {
			continue
		}
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &from, &to); err == nil {
			// Read-only pages of a file: nothing is lost with them.
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
		}
	}
}

package chdb

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// keepSignals runs what boots the engine and then puts back the signal handlers that were in force before: the
// engine resets them even when it is told to leave them alone, and a nil pointer in Go would then end the process
// without a word.
func keepSignals(boot func()) error {
	libc := map[string]string{"linux": "libc.so.6", "darwin": "/usr/lib/libSystem.B.dylib"}[runtime.GOOS]
	handle, err := purego.Dlopen(libc, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("open %q: %w", libc, err)
	}
	symbol, err := purego.Dlsym(handle, "sigaction")
	if err != nil {
		return fmt.Errorf("find sigaction: %w", err)
	}
	var sigaction func(signal int32, act, old unsafe.Pointer) int32
	purego.RegisterFunc(&sigaction, symbol)
	// The C library's struct sigaction has at most 152 bytes.
	var kept [32]*[256]byte
	for signal := 1; signal < len(kept); signal++ {
		old := new([256]byte)
		if sigaction(int32(signal), nil, unsafe.Pointer(old)) == 0 {
			kept[signal] = old
		}
	}
	boot()
	for signal, old := range kept {
		if old != nil {
			sigaction(int32(signal), unsafe.Pointer(old), nil) // fails for SIGKILL and SIGSTOP, which no process handles
		}
	}
	return nil
}

package embedded

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

const shutVariable = "RETORNO_TEST_SHUT"

// A process that is shut off calls no other computer and becomes no other program; connections that it had go on. The
// test runs itself as that process: there is no way back.
func TestShutOutside(t *testing.T) {
	if os.Getenv(shutVariable) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestShutOutside$")
		cmd.Env = append(os.Environ(), shutVariable+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	before, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if err := shutOutside(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { // on another thread, perhaps
		_, err := net.Dial("tcp", ln.Addr().String())
		done <- err
	}()
	if err := <-done; !errors.Is(err, syscall.EPERM) {
		t.Errorf("dial: %v", err)
	}
	if err := exec.Command("/bin/true").Run(); !errors.Is(err, syscall.EPERM) {
		t.Errorf("start a program: %v", err)
	}
	after, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if _, err := after.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if n, err := before.Read(make([]byte, 1)); n != 1 {
		t.Error(err)
	}
}

package ops

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen opens a TCP listener on addr. When the port is taken and move is set, it takes a free port of the same host
// instead and returns moved true, so that the caller can say so.
func Listen(addr string, move bool) (listener net.Listener, moved bool, err error) {
	listener, err = net.Listen("tcp", addr)
	if err == nil {
		return listener, false, nil
	}
	if !move || !errors.Is(err, syscall.EADDRINUSE) {
		return nil, false, fmt.Errorf("listen on %s: %w", addr, err)
	}
	host, _, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		return nil, false, fmt.Errorf("listen on %s: %w", addr, splitErr)
	}
	listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, false, fmt.Errorf("listen on a free port of %s: %w", host, err)
	}
	return listener, true, nil
}

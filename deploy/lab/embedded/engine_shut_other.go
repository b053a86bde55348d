//go:build !linux

package embedded

import "errors"

// shutOutside reports that this system cannot do it.
func shutOutside() error {
	return errors.New("this system cannot keep a process from other computers and programs")
}

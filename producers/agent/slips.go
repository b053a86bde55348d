package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"

	"retorno/producers/disk"
	"retorno/producers/identity"
)

// slipBlock is how many numbers of slips are taken at a time: one write serves that many people.
const slipBlock = 100

// slips gives each form a slip number that no other form of this computer has or had. Numbers of forms that were not saved are lost; there are a
// million.
type slips struct {
	disk   disk.Disk
	file   string
	office string // "" for a source whose id has no form of an office: it gives no slips

	mu         sync.Mutex
	next, last int // numbers taken and not given yet: next to last
}

// reserve takes a block of numbers when few are left. What is taken stands on the disk before it is given.
func (s *slips) reserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(slipBlock / 2)
}

func (s *slips) take(least int) error {
	if s.office == "" || s.next != 0 && s.last-s.next >= least {
		return nil
	}
	data, _, err := disk.ReadTwice(s.disk, s.file, 64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("number of the last slip: %w", err)
	}
	taken := 0
	if err == nil {
		if taken, err = strconv.Atoi(string(data)); err != nil {
			return fmt.Errorf("number of the last slip: %w", err)
		}
	}
	if taken+slipBlock > identity.MaxSlip {
		return errors.New("this computer has given all its slips; enrol it under another number")
	}
	if err := disk.WriteTwice(s.disk, s.file, []byte(strconv.Itoa(taken+slipBlock))); err != nil {
		return fmt.Errorf("number of the last slip: %w", err)
	}
	if s.next == 0 || s.last != taken {
		s.next = taken + 1
	}
	s.last = taken + slipBlock
	return nil
}

// give returns a slip for a form; "" when none can be given.
func (s *slips) give() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.take(1); err != nil || s.office == "" {
		return "", err
	}
	s.next++
	return identity.Slip(s.office, s.next-1), nil
}

package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/sqltext"
)

// Spool takes an INSERT's data until all have come. They lie in a file without a name, so that nothing is left
// behind whatever happens, and memory does not grow with them.
type Spool struct {
	*bufio.Writer
	file *os.File
}

// Spool empties the session's spool for a new INSERT.
func (s *Session) Spool() (*Spool, error) {
	if s.spool == nil {
		f, err := os.CreateTemp(s.engine.spoolDir, "insert-*")
		if err != nil {
			return nil, fmt.Errorf("make room for an insert: %w", err)
		}
		if err := os.Remove(f.Name()); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		s.spool = f
	}
	if err := s.spool.Truncate(0); err != nil {
		return nil, fmt.Errorf("empty the spool: %w", err)
	}
	if _, err := s.spool.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind the spool: %w", err)
	}
	return &Spool{Writer: bufio.NewWriterSize(s.spool, 64<<10), file: s.spool}, nil
}

// Insert runs the INSERT whose head is ins with the spooled data, which are in format.
func (s *Session) Insert(ctx context.Context, st Statement, ins sqltext.Insert, sp *Spool, format string) (chdb.Result, error) {
	if err := s.allowed(Statement{SQL: ins.Head + " SETTINGS " + ins.Setting}); err != nil {
		return chdb.Result{}, err
	}
	path, err := sp.ready()
	if err != nil {
		return chdb.Result{}, err
	}
	st.SQL = ins.Head + " FROM INFILE " + sqltext.Literal(path)
	if ins.Setting != "" {
		st.SQL += " SETTINGS " + ins.Setting
	}
	st.SQL += " FORMAT " + format
	st.own = true
	return s.Query(ctx, st, "")
}

// ready ends the writing and gives the path by which the engine reads.
func (sp *Spool) ready() (path string, err error) {
	if err := sp.Flush(); err != nil {
		return "", fmt.Errorf("write to the spool: %w", err)
	}
	if _, err := sp.file.Seek(0, io.SeekStart); err != nil { // /dev/fd shares the offset
		return "", fmt.Errorf("rewind the spool: %w", err)
	}
	return fdPath(sp.file), nil
}

// fdPath is a path by which the engine, in the same process, opens a file that has no name.
func fdPath(f *os.File) string {
	if runtime.GOOS == "linux" {
		return fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	}
	return fmt.Sprintf("/dev/fd/%d", f.Fd())
}

package importer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protodelim"

	"retorno/schemas/events"
)

// spool keeps the data rows of a file, in order, outside memory: for each its line, its print and its record, or an empty message
// for a rejected one. Its file has no name, so that nothing of it stays, whatever ends the process.
type spool struct {
	file *os.File
	out  *bufio.Writer
	head []byte
}

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "retorno-import-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("temporary file for the rows: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("temporary file for the rows: %w", err), file.Close())
	}
	return &spool{file: file, out: bufio.NewWriterSize(file, 256<<10)}, nil
}

// add keeps a row; a nil record is that of a rejected one.
func (s *spool) add(line int, print uint64, record *events.Record) error {
	s.head = binary.BigEndian.AppendUint64(binary.AppendUvarint(s.head[:0], uint64(line)), print)
	_, err := s.out.Write(s.head)
	if err == nil {
		_, err = protodelim.MarshalTo(s.out, record)
	}
	if err != nil {
		return fmt.Errorf("temporary file for the rows: %w", err)
	}
	return nil
}

func (s *spool) flush() error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("temporary file for the rows: %w", err)
	}
	return nil
}

func (s *spool) close() error { return s.file.Close() }

// each calls fn with what add was given, in that order. Each record is the receiver's to keep.
func (s *spool) each(fn func(line int, print uint64, record *events.Record) error) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("temporary file for the rows: %w", err)
	}
	in := bufio.NewReaderSize(s.file, 256<<10)
	for {
		line, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var print uint64
		if err == nil {
			err = binary.Read(in, binary.BigEndian, &print)
		}
		record := &events.Record{}
		if err == nil {
			err = protodelim.UnmarshalFrom(in, record)
		}
		if err != nil {
			return fmt.Errorf("temporary file for the rows: %w", err)
		}
		if record.GetRecordId() == "" {
			record = nil
		}
		if err := fn(int(line), print, record); err != nil {
			return err
		}
	}
}

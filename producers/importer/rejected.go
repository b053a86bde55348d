package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// rejectedColumns open each row of a file of rejected rows; the file's own columns follow. A row whose cells could not
// be told apart stands in retorno_raw. Mend the cells, leave the columns retorno_source and retorno_row as they are,
// and import the file: the rows take the places they had.
var rejectedColumns = []string{"retorno_source", "retorno_row", "retorno_line", "retorno_column", "retorno_code", "retorno_motivo", "retorno_reason", "retorno_raw"}

// rejectedWriter writes rejected rows as CSV with the delimiter of the file, UTF-8 with a byte order mark so that
// spreadsheets show accents.
type rejectedWriter struct {
	out     io.Writer
	csv     *csv.Writer
	header  *header
	columns []string // their names, with the order of their dates
	begun   bool
}

func newRejectedWriter(w io.Writer, d *dialect) *rejectedWriter {
	out := csv.NewWriter(w)
	out.Comma = d.delimiter
	return &rejectedWriter{out: w, csv: out, header: d.header, columns: d.datedColumns()}
}

func (w *rejectedWriter) write(r row, at Place, faults []fault) error {
	if !w.begun {
		w.begun = true
		if _, err := w.out.Write(bomUTF8); err != nil {
			return err
		}
		all := append(append([]string(nil), rejectedColumns...), w.own(w.columns)...)
		for i := range all {
			all[i] = inert(all[i])
		}
		if err := w.csv.Write(all); err != nil {
			return err
		}
	}
	var es, en []string
	for _, f := range faults {
		a, b := say(f.code, f.detail)
		if f.column != "" {
			a, b = f.column+": "+a, f.column+": "+b
		}
		es, en = append(es, a), append(en, b)
	}
	raw, cells := "", r.cells
	if r.fault != "" || len(r.cells) != len(w.header.cells) {
		raw, cells = r.raw, make([]string, len(w.header.cells))
	}
	lead := []string{at.Source, strconv.FormatUint(at.Seq, 10), strconv.Itoa(r.line), faults[0].column, faults[0].code,
		strings.Join(es, "; "), strings.Join(en, "; "), strings.ToValidUTF8(raw, "\uFFFD")}
	all := append(lead, w.own(cells)...)
	for i := range all {
		all[i] = inert(all[i])
	}
	return w.csv.Write(all)
}

// own leaves out the columns that a file of rejected rows already has.
func (w *rejectedWriter) own(cells []string) []string {
	out := make([]string, 0, len(cells))
	for i, cell := range cells {
		if !strings.HasPrefix(w.header.cells[i], "retorno_") {
			out = append(out, cell)
		}
	}
	return out
}

func (w *rejectedWriter) flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// RejectedFile is the file of rejected rows beside an export, FILE.rejected.csv. It holds personal data as it came and
// is therefore readable by its owner alone. It comes into being with the first rejected row, and takes the place of
// an older one at Close; without any rejected row Close removes the older one.
type RejectedFile struct {
	path string
	temp *os.File
	err  error
}

// NewRejectedFile prepares the file of rejected rows of the export at path.
func NewRejectedFile(export string) *RejectedFile {
	return &RejectedFile{path: export + ".rejected.csv"}
}

// Path is where the rows will stand.
func (f *RejectedFile) Path() string { return f.path }

// Write implements io.Writer.
func (f *RejectedFile) Write(b []byte) (int, error) {
	if f.temp == nil {
		// CreateTemp makes the file with mode 0600.
		temp, err := os.CreateTemp(filepath.Dir(f.path), filepath.Base(f.path)+".*")
		if err != nil {
			f.err = err
			return 0, fmt.Errorf("file of rejected rows: %w", err)
		}
		f.temp = temp
	}
	n, err := f.temp.Write(b)
	f.err = errors.Join(f.err, err)
	return n, err
}

// Close puts the file in its place. After a failed Write nothing is put there and what was written is removed.
func (f *RejectedFile) Close() error {
	if f.temp == nil {
		if f.err != nil {
			return nil // reported by Write
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the earlier file of rejected rows: %w", err)
		}
		return nil
	}
	err := errors.Join(f.err, f.temp.Sync(), f.temp.Close())
	if err == nil {
		err = os.Rename(f.temp.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(f.temp.Name())
		return fmt.Errorf("file of rejected rows: %w", err)
	}
	return nil
}

// Discard removes what was written, for an import that failed as a whole; an earlier file stays.
func (f *RejectedFile) Discard() {
	if f.temp != nil {
		_ = f.temp.Close()
		_ = os.Remove(f.temp.Name())
		f.temp = nil
	}
}

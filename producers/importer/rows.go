package importer

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// delimiters are the characters that may separate cells.
	delimiters = ",;\t|"
	// maxRowBytes is the longest row; maxRowLines the most lines a quoted cell may run over. They bound memory, and
	// keep one forgotten quote from swallowing the rest of the file.
	maxRowBytes = 64 << 10
	maxRowLines = 50
)

// row is one row of the file. Either fault is empty and cells holds it, or fault is a reason code.
type row struct {
	line  int    // of its first character, from 1
	raw   string // as it stands in the file, decoded, without its line end; cut at maxRowBytes
	cells []string
	fault string
}

func (r row) blank() bool {
	if r.fault != "" {
		return false
	}
	for _, c := range r.cells {
		if trimmed(c) != "" {
			return false
		}
	}
	return true
}

// rowReader splits a file into rows. A broken row costs its first line only: reading goes on with the next line.
type rowReader struct {
	r         *bufio.Reader
	delimiter byte
	line      int // lines taken so far
	pending   []textLine
	marked    bool // of a file of rejected rows: inert cells come as they were
}

type textLine struct {
	text string
	long bool // there was more
}

func newRowReader(r io.Reader, delimiter rune) *rowReader {
	return &rowReader{r: bufio.NewReaderSize(r, 64<<10), delimiter: byte(delimiter)}
}

// next returns the next row, io.EOF after the last, or the reader's error.
func (r *rowReader) next() (row, error) {
	first, err := r.readLine()
	if err != nil {
		return row{}, err
	}
	out := row{line: r.line, raw: first.text}
	if first.long {
		out.fault = "row_too_long"
		return out, nil
	}
	taken := []textLine{first}
	text := first.text
	for {
		cells, state := splitCells(text, r.delimiter)
		if state == cellsOpen && len(taken) < maxRowLines && len(text) < maxRowBytes {
			more, err := r.readLine()
			if err == nil {
				taken = append(taken, more)
				if !more.long {
					text += "\n" + more.text
					continue
				}
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return row{}, err
			}
		}
		if state == cellsGood {
			if r.marked {
				for i := range cells {
					cells[i] = asItCame(cells[i])
				}
			}
			out.cells, out.raw = cells, text
			out.fault = textFault(text)
			return out, nil
		}
		r.putBack(taken[1:])
		out.fault = "broken_quotes"
		return out, nil
	}
}

func (r *rowReader) putBack(lines []textLine) {
	if len(lines) > 0 {
		r.pending = append(append([]textLine(nil), lines...), r.pending...)
		r.line -= len(lines)
	}
}

// textFault names what no row may contain.
func textFault(text string) string {
	if !utf8.ValidString(text) {
		return "bad_encoding"
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7F {
			return "control_character"
		}
	}
	return ""
}

// readLine returns the next line without its end, which may be \n, \r\n or \r. A line beyond maxRowBytes is cut.
func (r *rowReader) readLine() (textLine, error) {
	if len(r.pending) > 0 {
		l := r.pending[0]
		r.pending = r.pending[1:]
		r.line++
		return l, nil
	}
	var b strings.Builder
	var l textLine
	for n := 0; ; n++ {
		c, err := r.r.ReadByte()
		if errors.Is(err, io.EOF) && n > 0 {
			break
		}
		if err != nil {
			return textLine{}, err
		}
		if c == '\r' {
			if after, err := r.r.Peek(1); err == nil && after[0] == '\n' {
				_, _ = r.r.Discard(1)
			}
			break
		}
		if c == '\n' {
			break
		}
		if b.Len() < maxRowBytes {
			b.WriteByte(c)
		} else {
			l.long = true
		}
	}
	l.text = b.String()
	r.line++
	return l, nil
}

type cellState int

const (
	cellsGood   cellState = iota
	cellsOpen             // a quoted cell has not ended
	cellsBroken           // a quote where none may be
)

// splitCells splits one row (RFC 4180; a cell may also be written ="0501", as spreadsheets do to keep zeros).
func splitCells(text string, delimiter byte) ([]string, cellState) {
	cells := make([]string, 0, strings.Count(text, string(rune(delimiter)))+1)
	for {
		var cell string
		var state cellState
		switch {
		case strings.HasPrefix(text, `"`):
			cell, text, state = quotedCell(text[1:])
		case strings.HasPrefix(text, `="`):
			cell, text, state = quotedCell(text[2:])
		default:
			end := strings.IndexByte(text, delimiter)
			if end < 0 {
				end = len(text)
			}
			cell, text = text[:end], text[end:]
			if strings.Contains(cell, `"`) {
				state = cellsBroken
			}
		}
		if state != cellsGood {
			return nil, state
		}
		cells = append(cells, cell)
		if text == "" {
			return cells, cellsGood
		}
		if text[0] != delimiter {
			return nil, cellsBroken
		}
		text = text[1:]
	}
}

// quotedCell reads a cell whose opening quote is gone; rest begins after the closing one and blanks behind it.
func quotedCell(text string) (cell, rest string, state cellState) {
	var b strings.Builder
	for {
		end := strings.IndexByte(text, '"')
		if end < 0 {
			return "", "", cellsOpen
		}
		b.WriteString(text[:end])
		text = text[end+1:]
		if !strings.HasPrefix(text, `"`) {
			return b.String(), strings.TrimLeft(text, " "), cellsGood
		}
		b.WriteByte('"')
		text = text[1:]
	}
}

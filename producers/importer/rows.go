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
	last  bool // the file ends in it, without a line end
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
	buffer    []byte // of readLine
	marked    bool   // of a file of rejected rows: inert cells come as they were
}

type textLine struct {
	text string
	long bool // there was more
	last bool // the file ended, and the line did not
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
			out.cells, out.raw, out.last = cells, text, taken[len(taken)-1].last
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
		// Vertical tab and form feed divide the lines of one cell.
		if c := text[i]; c < ' ' && (c < '\t' || c > '\r') || c == 0x7F {
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
	b := r.buffer[:0]
	var l textLine
	for n := 0; ; n++ {
		c, err := r.r.ReadByte()
		if errors.Is(err, io.EOF) && n > 0 {
			l.last = true
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
		if len(b) < maxRowBytes {
			b = append(b, c)
		} else {
			l.long = true
		}
	}
	r.buffer = b
	if l.text = string(b); strings.TrimSpace(strings.TrimRight(l.text, endOfText)) == "" && strings.HasSuffix(l.text, endOfText) && r.ended() {
		return textLine{}, io.EOF
	}
	if l.last {
		l.text = strings.TrimRight(l.text, endOfText)
	}
	r.line++
	return l, nil
}

// endOfText is Ctrl-Z, with which programs of DOS end a file.
const endOfText = "\x1a"

// ended reports whether nothing but blanks and Ctrl-Z follows.
func (r *rowReader) ended() bool {
	rest, err := r.r.Peek(16)
	return errors.Is(err, io.EOF) && strings.Trim(string(rest), endOfText+"\r\n ") == ""
}

type cellState int

const (
	cellsGood   cellState = iota
	cellsOpen             // a quoted cell has not ended
	cellsBroken           // a quote where none may be
)

// splitCells splits one row (RFC 4180; a cell may also be written ="0501", as spreadsheets do to keep zeros, and a quote inside
// a cell that does not begin with one stands for itself). Where that fails, quotes may be escaped as databases do: \".
func splitCells(text string, delimiter byte) ([]string, cellState) {
	cells, state := splitQuoted(text, delimiter, quotedCell)
	if state == cellsGood || !strings.Contains(text, `\"`) {
		return cells, state
	}
	if escaped, good := splitQuoted(text, delimiter, escapedCell); good == cellsGood {
		return escaped, good
	}
	return cells, state
}

type readQuoted func(text string) (cell, rest string, state cellState)

func splitQuoted(text string, delimiter byte, quoted readQuoted) ([]string, cellState) {
	cells := make([]string, 0, strings.Count(text, string(rune(delimiter)))+1)
	for {
		var cell string
		var state cellState
		switch {
		case strings.HasPrefix(text, `"`):
			cell, text, state = quoted(text[1:])
		case strings.HasPrefix(text, `="`):
			cell, text, state = quoted(text[2:])
		default:
			end := strings.IndexByte(text, delimiter)
			if end < 0 {
				end = len(text)
			}
			cell, text = text[:end], text[end:]
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

// escapedCell is quotedCell where a backslash escapes the character behind it.
func escapedCell(text string) (cell, rest string, state cellState) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			if i++; text[i] != '"' && text[i] != '\\' {
				b.WriteByte('\\') // \N, and what else stands for itself
			}
			b.WriteByte(text[i])
		case c == '"':
			return b.String(), strings.TrimLeft(text[i+1:], " "), cellsGood
		default:
			b.WriteByte(c)
		}
	}
	return "", "", cellsOpen
}

// Package column has the columns of ClickHouse that ch-go lacks: codes of a list by their numbers (Codes, CodeLists), and
// texts that recur (Names). Rows are appended and read without an allocation each.
//
// It promises that a text which is not in a column's list is an error when it is read (NewerError), never the unknown code.
package column

import (
	"fmt"
	"math"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// Words are the texts that a column of codes can hold; place 0 is the empty text, and place n+1 the code with index n,
// as events.Stated numbers answers.
type Words struct {
	list  string
	texts []string
	place map[string]uint16
}

// NewWords are these texts, under a name for errors.
func NewWords(list string, texts ...string) *Words {
	w := &Words{list: list, texts: append([]string{""}, texts...), place: make(map[string]uint16, len(texts))}
	for i, text := range w.texts {
		w.place[text] = uint16(i)
	}
	return w
}

// WordsOf are the codes of a list, which must exist.
func WordsOf(list string) *Words {
	l, ok := codelists.Get(list)
	if !ok {
		panic("column: no code list " + list)
	}
	return WordsIn(l)
}

// WordsIn are the codes of a list.
func WordsIn(l *codelists.List) *Words {
	texts := make([]string, l.Len())
	for i := range texts {
		texts[i] = l.At(uint16(i))
	}
	return NewWords(l.Name, texts...)
}

// Codes is a column LowCardinality(String) whose texts are words: it holds their places, and each block's dictionary is
// made of the words that occur in it.
type Codes struct {
	words  *Words
	places []uint16

	raw  proto.ColLowCardinalityRaw
	dict *proto.ColStr
	at   []uint16 // by place: where it stands in the block's dictionary, plus 1
}

// NewCodes is an empty column of these words.
func NewCodes(w *Words) *Codes {
	c := &Codes{words: w, dict: new(proto.ColStr), at: make([]uint16, len(w.texts))}
	c.raw.Index = c.dict
	return c
}

// State appends an answer, which may be none.
func (c *Codes) State(s events.Stated) { c.places = append(c.places, uint16(s)) }

// Append appends the code with that index.
func (c *Codes) Append(code reconcile.Code) { c.places = append(c.places, code+1) }

// Word appends one of the column's texts, and the empty one for a text that is none of them.
func (c *Codes) Word(text string) { c.places = append(c.places, c.words.place[text]) }

// Stated is a row's answer.
func (c *Codes) Stated(i int) events.Stated { return events.Stated(c.places[i]) }

// Code is the index of a row's code; 0, the unknown code, where nothing is stated.
func (c *Codes) Code(i int) reconcile.Code { return c.Stated(i).Index() }

// Row is a row's text.
func (c *Codes) Row(i int) string { return c.words.texts[c.places[i]] }

// Rows implements proto.ColInput.
func (c *Codes) Rows() int { return len(c.places) }

// Type implements proto.ColInput.
func (c *Codes) Type() proto.ColumnType { return c.raw.Type() }

// Reset implements proto.Resettable.
func (c *Codes) Reset() {
	c.places = c.places[:0]
	c.raw.Reset()
}

// EncodeState implements proto.StateEncoder.
func (c *Codes) EncodeState(b *proto.Buffer) { c.raw.EncodeState(b) }

// DecodeState implements proto.StateDecoder.
func (c *Codes) DecodeState(r *proto.Reader) error { return c.raw.DecodeState(r) }

// EncodeColumn implements proto.ColInput.
func (c *Codes) EncodeColumn(b *proto.Buffer) { c.raw.EncodeColumn(b) }

// WriteColumn implements proto.ColInput.
func (c *Codes) WriteColumn(w *proto.Writer) { c.raw.WriteColumn(w) }

// Prepare makes the block's dictionary and the keys into it.
func (c *Codes) Prepare() error {
	clear(c.at)
	c.raw.Reset()
	c.raw.Key = proto.KeyUInt8
	if len(c.words.texts) > 256 {
		c.raw.Key = proto.KeyUInt16
	}
	for _, place := range c.places {
		at := c.at[place]
		if at == 0 {
			c.dict.Append(c.words.texts[place])
			at = uint16(c.dict.Rows())
			c.at[place] = at
		}
		if c.raw.Key == proto.KeyUInt8 {
			c.raw.Keys8 = append(c.raw.Keys8, uint8(at-1))
		} else {
			c.raw.Keys16 = append(c.raw.Keys16, at-1)
		}
	}
	return nil
}

// DecodeColumn implements proto.ColResult. A text that is not among the words is a *NewerError: a newer release wrote it,
// and to read it as unknown would change a number.
func (c *Codes) DecodeColumn(r *proto.Reader, rows int) error {
	c.Reset()
	if err := c.raw.DecodeColumn(r, rows); err != nil || rows == 0 {
		return err
	}
	dict := make([]uint16, c.dict.Rows())
	for i := range dict {
		place, known := c.words.place[string(c.dict.RowBytes(i))]
		if !known {
			return &NewerError{List: c.words.list, Text: c.dict.Row(i)}
		}
		dict[i] = place
	}
	var err error
	switch c.raw.Key {
	case proto.KeyUInt8:
		c.places, err = translate(c.places, c.raw.Keys8, dict)
	case proto.KeyUInt16:
		c.places, err = translate(c.places, c.raw.Keys16, dict)
	case proto.KeyUInt32:
		c.places, err = translate(c.places, c.raw.Keys32, dict)
	default:
		c.places, err = translate(c.places, c.raw.Keys64, dict)
	}
	return err
}

// CodeLists is a column Array(LowCardinality(String)) of words.
type CodeLists struct {
	ends proto.ColUInt64
	all  *Codes
}

// NewCodeLists is an empty column of lists of these words.
func NewCodeLists(w *Words) *CodeLists { return &CodeLists{all: NewCodes(w)} }

// State appends an answer to the row at hand.
func (c *CodeLists) State(s events.Stated) { c.all.State(s) }

// End ends a row: the answers appended since the row before are its own.
func (c *CodeLists) End() { c.ends.Append(uint64(c.all.Rows())) }

// AppendSet appends a row with the codes of a set, one bit each, in the order of the list; the unknown code alone when none
// is stated.
func (c *CodeLists) AppendSet(bits uint16) {
	if bits == 0 {
		c.all.Append(0)
	}
	for i := reconcile.Code(1); i < 16; i++ {
		if bits&(1<<i) != 0 {
			c.all.Append(i)
		}
	}
	c.End()
}

// Set is the set of codes of a row, without the unknown one.
func (c *CodeLists) Set(row int) uint16 {
	var bits uint16
	from, to := c.Row(row)
	for i := from; i < to; i++ {
		bits |= 1 << c.all.Code(i)
	}
	return bits &^ 1
}

// Row is where a row's codes stand in all: from the first, up to and without the second.
func (c *CodeLists) Row(i int) (from, to int) {
	if i > 0 {
		from = int(c.ends[i-1])
	}
	return from, int(c.ends[i])
}

// Rows implements proto.ColInput.
func (c *CodeLists) Rows() int { return len(c.ends) }

// Type implements proto.ColInput.
func (c *CodeLists) Type() proto.ColumnType { return proto.ColumnTypeArray.Sub(c.all.Type()) }

// Reset implements proto.Resettable.
func (c *CodeLists) Reset() {
	c.ends.Reset()
	c.all.Reset()
}

// Prepare implements proto.Preparable.
func (c *CodeLists) Prepare() error { return c.all.Prepare() }

// EncodeState implements proto.StateEncoder.
func (c *CodeLists) EncodeState(b *proto.Buffer) { c.all.EncodeState(b) }

// DecodeState implements proto.StateDecoder.
func (c *CodeLists) DecodeState(r *proto.Reader) error { return c.all.DecodeState(r) }

// EncodeColumn implements proto.ColInput.
func (c *CodeLists) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.all.EncodeColumn(b)
}

// WriteColumn implements proto.ColInput.
func (c *CodeLists) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.all.WriteColumn(w)
}

// DecodeColumn implements proto.ColResult.
func (c *CodeLists) DecodeColumn(r *proto.Reader, rows int) error {
	c.Reset()
	if err := c.ends.DecodeColumn(r, rows); err != nil || rows == 0 {
		return err
	}
	end := c.ends[rows-1]
	if end > math.MaxInt32 {
		return fmt.Errorf("a block with %d codes in its lists", end)
	}
	return c.all.DecodeColumn(r, int(end))
}

func translate[K uint8 | uint16 | uint32 | uint64](places []uint16, keys []K, dict []uint16) ([]uint16, error) {
	for _, key := range keys {
		if uint64(key) >= uint64(len(dict)) {
			return nil, fmt.Errorf("a code stands at place %d of a dictionary of %d", key, len(dict))
		}
		places = append(places, dict[key])
	}
	return places, nil
}

// NewerError reports that ClickHouse holds a code that this release does not know. Nothing was read or written. It is a
// stop: a process of the release that wrote the code has to take over.
type NewerError struct {
	List string // the code list
	Text string // the code
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("ClickHouse holds the code %.40q of list %s, which this release does not know: a newer release wrote it; run that release", e.Text, e.List)
}

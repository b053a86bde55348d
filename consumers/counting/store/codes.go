package store

import (
	"fmt"
	"math"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// words are the texts that a column of codes can hold; place 0 is the empty text, and place n+1 the code with index n,
// as events.Stated numbers answers.
type words struct {
	list  string
	texts []string
	place map[string]uint16
}

func newWords(list string, texts ...string) *words {
	w := &words{list: list, texts: append([]string{""}, texts...), place: make(map[string]uint16, len(texts))}
	for i, text := range w.texts {
		w.place[text] = uint16(i)
	}
	return w
}

func wordsOf(list string) *words {
	l, ok := codelists.Get(list)
	if !ok {
		panic("store: no code list " + list)
	}
	return wordsIn(l)
}

func wordsIn(l *codelists.List) *words {
	texts := make([]string, l.Len())
	for i := range texts {
		texts[i] = l.At(uint16(i))
	}
	return newWords(l.Name, texts...)
}

// attributeWords are the code lists of the attributes, by place in the dictionary.
var attributeWords = func() (all [dictionary.AllCodes]*words) {
	for i := range all {
		all[i] = wordsIn(dictionary.Coded(i).Attribute().Codes)
	}
	return all
}()

// The code lists of other columns.
var (
	reasonWords = wordsOf(codelists.Reason)
	ageGroups   = wordsOf(codelists.AgeGroup)
	routes      = wordsOf(codelists.Route)
	kinds       = newWords("kind", reconcile.Crossing.String(), reconcile.Registration.String(), reconcile.Assistance.String())
)

// attributeOf is a column of an attribute, by its name.
func attributeOf(b *block, c dictionary.Coded) *codes {
	return col(b, c.Attribute().Name, newCodes(attributeWords[c]))
}

// routeOf is the index of a route, by country and mode.
var routeOf = func() [][]reconcile.Code {
	countries, modes := attributeWords[dictionary.Country], attributeWords[dictionary.Mode]
	all := make([][]reconcile.Code, len(countries.texts)-1)
	for c := range all {
		all[c] = make([]reconcile.Code, len(modes.texts)-1)
		for m := range all[c] {
			all[c][m] = routes.place[codelists.RouteOf(countries.texts[c+1], modes.texts[m+1])] - 1
		}
	}
	return all
}()

// codes is a column LowCardinality(String) whose texts are words: it holds their places, and each block's dictionary is
// made of the words that occur in it.
type codes struct {
	words  *words
	places []uint16

	raw  proto.ColLowCardinalityRaw
	dict *proto.ColStr
	at   []uint16 // by place: where it stands in the block's dictionary, plus 1
}

func newCodes(w *words) *codes {
	c := &codes{words: w, dict: new(proto.ColStr), at: make([]uint16, len(w.texts))}
	c.raw.Index = c.dict
	return c
}

// State appends an answer, which may be none.
func (c *codes) State(s events.Stated) { c.places = append(c.places, uint16(s)) }

// Append appends the code with that index.
func (c *codes) Append(code reconcile.Code) { c.places = append(c.places, code+1) }

// Word appends one of the column's texts, and the empty one for a text that is none of them.
func (c *codes) Word(text string) { c.places = append(c.places, c.words.place[text]) }

// Code is the index of a row's code; 0, the unknown code, where nothing is stated.
func (c *codes) Code(i int) reconcile.Code { return events.Stated(c.places[i]).Index() }

// Row is a row's text.
func (c *codes) Row(i int) string { return c.words.texts[c.places[i]] }

// Rows implements proto.ColInput.
func (c *codes) Rows() int { return len(c.places) }

// Type implements proto.ColInput.
func (c *codes) Type() proto.ColumnType { return c.raw.Type() }

// Reset implements proto.Resettable.
func (c *codes) Reset() {
	c.places = c.places[:0]
	c.raw.Reset()
}

// EncodeState implements proto.StateEncoder.
func (c *codes) EncodeState(b *proto.Buffer) { c.raw.EncodeState(b) }

// DecodeState implements proto.StateDecoder.
func (c *codes) DecodeState(r *proto.Reader) error { return c.raw.DecodeState(r) }

// EncodeColumn implements proto.ColInput.
func (c *codes) EncodeColumn(b *proto.Buffer) { c.raw.EncodeColumn(b) }

// WriteColumn implements proto.ColInput.
func (c *codes) WriteColumn(w *proto.Writer) { c.raw.WriteColumn(w) }

// Prepare makes the block's dictionary and the keys into it.
func (c *codes) Prepare() error {
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
func (c *codes) DecodeColumn(r *proto.Reader, rows int) error {
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

// codeLists is a column Array(LowCardinality(String)) of words.
type codeLists struct {
	ends proto.ColUInt64
	all  *codes
}

func newCodeLists(w *words) *codeLists { return &codeLists{all: newCodes(w)} }

// End ends a row: the codes appended to all since the row before are its own.
func (c *codeLists) End() { c.ends.Append(uint64(c.all.Rows())) }

// Row is where a row's codes stand in all: from the first, up to and without the second.
func (c *codeLists) Row(i int) (from, to int) {
	if i > 0 {
		from = int(c.ends[i-1])
	}
	return from, int(c.ends[i])
}

// Rows implements proto.ColInput.
func (c *codeLists) Rows() int { return len(c.ends) }

// Type implements proto.ColInput.
func (c *codeLists) Type() proto.ColumnType { return proto.ColumnTypeArray.Sub(c.all.Type()) }

// Reset implements proto.Resettable.
func (c *codeLists) Reset() {
	c.ends.Reset()
	c.all.Reset()
}

// Prepare implements proto.Preparable.
func (c *codeLists) Prepare() error { return c.all.Prepare() }

// EncodeState implements proto.StateEncoder.
func (c *codeLists) EncodeState(b *proto.Buffer) { c.all.EncodeState(b) }

// DecodeState implements proto.StateDecoder.
func (c *codeLists) DecodeState(r *proto.Reader) error { return c.all.DecodeState(r) }

// EncodeColumn implements proto.ColInput.
func (c *codeLists) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.all.EncodeColumn(b)
}

// WriteColumn implements proto.ColInput.
func (c *codeLists) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.all.WriteColumn(w)
}

// DecodeColumn implements proto.ColResult.
func (c *codeLists) DecodeColumn(r *proto.Reader, rows int) error {
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

package column

import (
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
)

// Names is a column LowCardinality(String) of texts that no code list knows, few of them and each in many rows: sources,
// topics, processes. Its dictionary is that of its rows, in the order in which they come, and goes with them.
type Names struct {
	texts []string
	place map[string]uint32 // where each stands in texts
	rows  []uint32          // by row: a place

	raw  proto.ColLowCardinalityRaw
	dict *proto.ColStr
}

// NewNames is an empty column.
func NewNames() *Names {
	n := &Names{place: map[string]uint32{}, dict: new(proto.ColStr)}
	n.raw.Index = n.dict
	return n
}

// Append appends a row.
func (n *Names) Append(text string) {
	at, ok := n.place[text]
	if !ok {
		at = n.learn(text)
	}
	n.rows = append(n.rows, at)
}

// AppendBytes appends a row whose text is b, which stays the caller's.
func (n *Names) AppendBytes(b []byte) {
	at, ok := n.place[string(b)]
	if !ok {
		at = n.learn(string(b))
	}
	n.rows = append(n.rows, at)
}

func (n *Names) learn(text string) uint32 {
	at := uint32(len(n.texts))
	n.place[text] = at
	n.texts = append(n.texts, text)
	return at
}

// Row is a row's text.
func (n *Names) Row(i int) string { return n.texts[n.rows[i]] }

// Rows implements proto.ColInput.
func (n *Names) Rows() int { return len(n.rows) }

// Type implements proto.ColInput.
func (n *Names) Type() proto.ColumnType { return n.raw.Type() }

// Reset implements proto.Resettable.
func (n *Names) Reset() {
	n.texts, n.rows = n.texts[:0], n.rows[:0]
	clear(n.place)
	n.raw.Reset()
}

// EncodeState implements proto.StateEncoder.
func (n *Names) EncodeState(b *proto.Buffer) { n.raw.EncodeState(b) }

// DecodeState implements proto.StateDecoder.
func (n *Names) DecodeState(r *proto.Reader) error { return n.raw.DecodeState(r) }

// EncodeColumn implements proto.ColInput.
func (n *Names) EncodeColumn(b *proto.Buffer) { n.raw.EncodeColumn(b) }

// WriteColumn implements proto.ColInput.
func (n *Names) WriteColumn(w *proto.Writer) { n.raw.WriteColumn(w) }

// Prepare makes the block's dictionary and the keys into it.
func (n *Names) Prepare() error {
	n.raw.Reset()
	for _, text := range n.texts {
		n.dict.Append(text)
	}
	switch {
	case len(n.texts) <= 1<<8:
		n.raw.Key, n.raw.Keys8 = proto.KeyUInt8, narrow(n.raw.Keys8, n.rows)
	case len(n.texts) <= 1<<16:
		n.raw.Key, n.raw.Keys16 = proto.KeyUInt16, narrow(n.raw.Keys16, n.rows)
	default:
		n.raw.Key, n.raw.Keys32 = proto.KeyUInt32, narrow(n.raw.Keys32, n.rows)
	}
	return nil
}

func narrow[K uint8 | uint16 | uint32](keys []K, places []uint32) []K {
	for _, place := range places {
		keys = append(keys, K(place))
	}
	return keys
}

// DecodeColumn implements proto.ColResult.
func (n *Names) DecodeColumn(r *proto.Reader, rows int) error {
	n.Reset()
	if err := n.raw.DecodeColumn(r, rows); err != nil || rows == 0 {
		return err
	}
	for i := range n.dict.Rows() {
		n.learn(n.dict.Row(i))
	}
	var err error
	switch n.raw.Key {
	case proto.KeyUInt8:
		n.rows, err = widen(n.rows, n.raw.Keys8, len(n.texts))
	case proto.KeyUInt16:
		n.rows, err = widen(n.rows, n.raw.Keys16, len(n.texts))
	case proto.KeyUInt32:
		n.rows, err = widen(n.rows, n.raw.Keys32, len(n.texts))
	default:
		n.rows, err = widen(n.rows, n.raw.Keys64, len(n.texts))
	}
	return err
}

func widen[K uint8 | uint16 | uint32 | uint64](places []uint32, keys []K, texts int) ([]uint32, error) {
	for _, key := range keys {
		if uint64(key) >= uint64(texts) {
			return nil, fmt.Errorf("a text stands at place %d of a dictionary of %d", key, texts)
		}
		places = append(places, uint32(key))
	}
	return places, nil
}

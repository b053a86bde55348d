package column

import (
	"fmt"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
)

// TestNamesGoOverTheWire: a column of names reads as what was put into it, however many there are, also when it is used
// again.
func TestNamesGoOverTheWire(t *testing.T) {
	for _, distinct := range []int{1, 256, 257, 1 << 16, 1<<16 + 1} {
		t.Run(fmt.Sprint(distinct), func(t *testing.T) {
			n := NewNames()
			n.Append("of a block before")
			n.Reset()
			var want []string
			for i := range distinct + 3 {
				text := fmt.Sprintf("L-COR-%d", i%distinct)
				want = append(want, text)
				if i < distinct/2 {
					n.Append(text)
				} else {
					n.AppendBytes([]byte(text))
				}
			}
			block := proto.Block{Info: proto.BlockInfo{BucketNum: -1}, Columns: 1, Rows: len(want)}
			var buf proto.Buffer
			if err := block.EncodeRawBlock(&buf, proto.Version, []proto.InputColumn{{Name: "c", Data: n}}); err != nil {
				t.Fatal(err)
			}
			got := NewNames()
			var read proto.Block
			if err := read.DecodeRawBlock(buf.Reader(), proto.Version, proto.Results{{Name: "c", Data: got}}); err != nil {
				t.Fatal(err)
			}
			if got.Rows() != len(want) {
				t.Fatalf("%d rows, want %d", got.Rows(), len(want))
			}
			for i, text := range want {
				if got.Row(i) != text {
					t.Fatalf("row %d is %q, want %q", i, got.Row(i), text)
				}
			}
		})
	}
}

package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func allRows(t testing.TB, text string, delimiter rune) []row {
	t.Helper()
	r := newRowReader(strings.NewReader(text), delimiter)
	var out []row
	for {
		next, err := r.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, next)
	}
}

// A broken row costs its own first line and nothing after it, whatever is wrong with it.
func TestBrokenRowsCostOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // line:cells or line!fault of each row
	}{
		"plain":                    {"a,b\n1,2\n", "1:a|b 2:1|2"},
		"quoted":                   {"\"a,b\",\"c\"\"d\"\n", `1:a,b|c"d`},
		"newline in a cell":        {"\"a\nb\",c\r\nd,e", "1:a\nb|c 3:d|e"},
		"blank after quote":        {"\"a\" ,b\n", "1:a|b"},
		"text formula":             {"=\"0501\",b\n", "1:0501|b"},
		"empty cells":              {",,\n", "1:||"},
		"quote never closed":       {"1,\"a\n2,b\n3,c\n", "1!broken_quotes 2:2|b 3:3|c"},
		"quote closed far below":   {"1,\"a\n2,b\n3,\"c\"\n4,d\n", "1!broken_quotes 2:2|b 3:3|c 4:4|d"},
		"bare quote":               {"1,El \"Poy\"\n2,b\n", "1:1|El \"Poy\" 2:2|b"},
		"text after quote":         {"1,\"a\"b\n2,b\n", "1!broken_quotes 2:2|b"},
		"NUL":                      {"1,a\x00b\n2,b\n", "1!control_character 2:2|b"},
		"escape":                   {"1,a\x1bb\n2,b\n", "1!control_character 2:2|b"},
		"not UTF-8":                {"1,a\xffb\n2,b\n", "1!bad_encoding 2:2|b"},
		"two broken rows in a row": {"1,\"\n2,\"x\"y\n3,c\n", "1!broken_quotes 2!broken_quotes 3:3|c"},
		"one long line":            {"1,a\n2," + strings.Repeat("x", maxRowBytes+10) + "\n3,c\n", "1:1|a 2!row_too_long 3:3|c"},
		"a quote over a long line": {"1,\"a\n2," + strings.Repeat("x", maxRowBytes+10) + "\n3,c\n", "1!broken_quotes 2!row_too_long 3:3|c"},
		"the end of COPY":          {"1,a\n\\.\n", "1:1|a"},
		"the end of COPY, cut":     {"1,a\r\n\\.", "1:1|a"},
		"the end of COPY, blanks":  {"1,a\n\\.\n\n\n", "1:1|a"},
		"the end of one COPY":      {"1,a\n\\.\n2,b\n", "1:1|a 2:\\. 3:2|b"},
		"a cell of too many lines": {"1,\"" + strings.Repeat("\n", maxRowLines) + "\"\n", "1!broken_quotes" + blankLines(2, maxRowLines) + fmt.Sprintf(" %d!broken_quotes", maxRowLines+1)},
	} {
		var got []string
		for _, r := range allRows(t, c.text, ',') {
			if r.fault != "" {
				got = append(got, fmt.Sprintf("%d!%s", r.line, r.fault))
			} else {
				got = append(got, fmt.Sprintf("%d:%s", r.line, strings.Join(r.cells, "|")))
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
}

func blankLines(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, " %d:", i)
	}
	return b.String()
}

// Through the whole importer: each broken row is named by its line, the good ones around it are taken whole.
func TestBrokenRowsAreRejectedByLine(t *testing.T) {
	text := "fecha,puesto,movimiento\n" +
		"30/06/2016,Corinto,entrada\n" +
		"30/06/2016,\"Corinto,entrada\n" +
		"30/06/2016,Cor\x00into,entrada\n" +
		"30/06/2016,Corinto\n" +
		"30/06/2016,Corinto,entrada,,\n" +
		"30/06/2016,Corinto,entrada,x\n" +
		"30/06/2016,El \"Poy\",entrada\n" +
		",,\n" +
		"30/06/2016,El Poy,salida\n"
	got := mustImport(t, Config{Kind: KindCheckpoint}, text)
	var rejected []string
	for _, r := range got.rejected {
		rejected = append(rejected, r[2]+" "+r[4])
	}
	want := "3 broken_quotes, 4 control_character, 5 short_row, 7 long_row"
	if s := strings.Join(rejected, ", "); s != want || got.sum.Accepted != 4 || got.sum.Blank != 1 {
		t.Errorf("%s, want %s\n%+v", s, want, got.sum)
	}
	if got.rejected[0][7] != `30/06/2016,"Corinto,entrada` || got.rejected[2][7] != "30/06/2016,Corinto" {
		t.Errorf("the text of a broken row is not kept: %q", got.raw)
	}
}

package bulletin

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"retorno/consumers/dissemination/typst"
)

//go:embed templates/*.typ
var sources embed.FS

// printed is the bulletin as Typst reads it.
type printed struct {
	*Bulletin
	Symbols []Symbol
	Texts   map[string]string
	Tables  []printedTable
	Count   int // of the keys
}

type printedTable struct {
	Table
	Rows []printedRow
}

type printedRow struct {
	Row
	Cells []string
}

// counted is a printed count with its key.
type counted struct {
	Key
	Text string
}

// PDF is the bulletin as a document, with the keys of its counts as an attachment: one line of CSV for each, in a document of its own,
// since PDF/A-2 lets in nothing else.
func (b *Bulletin) PDF(ctx context.Context, by *typst.Program) ([]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"bulletin.typ", "keys.typ"} {
		text, err := sources.ReadFile("templates/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	counts := b.counts()
	var lines []string
	for _, c := range counts {
		flow, key, _ := strings.Cut(c.Series, ":")
		value, mark, _ := strings.Cut(strings.ReplaceAll(c.Text, ",", ""), " ")
		if strings.HasPrefix(value, "[") {
			value, mark = "", value
		}
		lines = append(lines, strings.Join([]string{flow, key, c.Period, value, mark}, ","))
	}
	var err error
	if files["data.json"], err = encoded(b.printed(len(counts))); err != nil {
		return nil, err
	}
	if files["keys.json"], err = encoded(map[string]any{"Lang": b.Lang, "Name": b.Name, "Vintage": b.Vintage, "Lines": lines}); err != nil {
		return nil, err
	}
	keys, err := by.PDF(ctx, files, "keys.typ", b.published)
	if err != nil {
		return nil, err
	}
	document, err := by.PDF(ctx, files, "bulletin.typ", b.published)
	if err != nil {
		return nil, err
	}
	return typst.Attach(document, typst.Attachment{Name: b.in("claves-sdmx.pdf", "sdmx-keys.pdf"), Description: b.in("Claves SDMX de los conteos", "SDMX keys of the counts"), Body: keys, Made: b.published})
}

func encoded(what any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(what)
	return out.Bytes(), err
}

// printed makes texts of what is printed.
func (b *Bulletin) printed(count int) printed {
	p := printed{Bulletin: b, Symbols: b.Symbols(), Texts: map[string]string{}, Count: count}
	for name := range texts {
		p.Texts[name] = b.Text(name)
	}
	for _, t := range b.Tables {
		out := printedTable{Table: t}
		for _, r := range t.Rows {
			row := printedRow{Row: r}
			for _, c := range r.Cells {
				row.Cells = append(row.Cells, c.marked())
			}
			out.Rows = append(out.Rows, row)
		}
		p.Tables = append(p.Tables, out)
	}
	return p
}

// marked is the cell as it is printed, with the vintage that its count is of.
func (c Cell) marked() string {
	if c.Of > 0 {
		return fmt.Sprintf("%s ⟨%d⟩", c.Text(), c.Of)
	}
	return c.Text()
}

// counts are the printed counts, each once, in the order of the pages.
func (b *Bulletin) counts() (all []counted) {
	seen := map[Key]bool{{}: true}
	add := func(key Key, text string) {
		if !seen[key] {
			seen[key] = true
			all = append(all, counted{key, text})
		}
	}
	for _, f := range b.Figures {
		add(f.Key, f.Value)
	}
	for _, m := range b.Months {
		add(m.Key, m.Count)
		add(m.ThenKey, m.Then)
	}
	for _, e := range b.Exits {
		add(e.Key, e.Count)
	}
	for _, a := range b.Ages {
		add(a.MenKey, a.Men)
		add(a.WomenKey, a.Women)
	}
	for _, d := range b.Map {
		add(d.Key, d.Count)
	}
	for _, t := range b.Tables {
		for _, r := range t.Rows {
			for _, c := range r.Cells {
				add(c.Key, c.marked())
			}
		}
	}
	return all
}

package bulletin

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"slices"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/typst"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
)

// form is one that a bulletin has.
type form struct {
	id, media string
	write     func(*Bulletin) ([]byte, error) // nil: it is made by Typst
}

var forms = []form{
	{"html", "text/html; charset=utf-8", (*Bulletin).HTML},
	{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", func(b *Bulletin) ([]byte, error) { return b.Workbook().XLSX() }},
	{"ods", "application/vnd.oasis.opendocument.spreadsheet", func(b *Bulletin) ([]byte, error) { return b.Workbook().ODS() }},
	{"pdf", "application/pdf", nil},
}

// path is where a form stands in a vintage's bundle.
func (f form) path(lang string) string { return bundle.BulletinPath + lang + "." + f.id }

// Files are the bulletin of a vintage in every form and language, for its bundle. They are of the vintage, and of those of the shelf that
// were published before it. Without a program for PDF there is none.
func Files(ctx context.Context, shelf *vintages.Shelf, o *vintages.Opened, pdf *typst.Program) (all []bundle.File, err error) {
	for _, lang := range []string{"es", "en"} {
		b, err := of(ctx, shelf, o, lang)
		if err != nil {
			return nil, err
		}
		b.Print = pdf != nil
		for _, f := range forms {
			var body []byte
			switch {
			case f.write != nil:
				body, err = f.write(&b)
			case pdf != nil:
				body, err = b.PDF(ctx, pdf)
			default:
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, bundle.File{Path: f.path(lang), Body: body})
		}
	}
	return all, nil
}

// of makes the bulletin of a vintage as it is since the moment of its publication.
func of(ctx context.Context, shelf *vintages.Shelf, o *vintages.Opened, lang string) (Bulletin, error) {
	all, err := shelf.List(ctx)
	if err != nil {
		return Bulletin{}, err
	}
	earlier := slices.DeleteFunc(slices.Clone(all), func(v vintages.Vintage) bool { return !v.Published.Before(o.Published) })
	var before *vintages.Opened
	if i := slices.IndexFunc(earlier, func(v vintages.Vintage) bool { return v.Period == YearBefore(o.Period) }); i >= 0 {
		if before, err = shelf.Open(ctx, earlier[i]); err != nil {
			return Bulletin{}, err
		}
	}
	lattices, err := shelf.LatticesBefore(ctx, o.Published)
	if err != nil {
		return Bulletin{}, err
	}
	keys, err := NewKeys(append(lattices, o.Lattice)...)
	if err != nil {
		return Bulletin{}, err
	}
	return Make(o, before, keys, lang), nil
}

//go:embed templates/bulletin.html
var templateFiles embed.FS

//go:embed templates/bulletin.css
var style string

// pages are the template in each language.
var pages = map[string]*template.Template{"es": parse("es"), "en": parse("en")}

func parse(lang string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"t":     func(es, en string) string { return wording.In(lang, es, en) },
		"style": func() template.CSS { return template.CSS(style) }, //nolint:gosec // the program's own file
		"rest":  func(width float64) float64 { return 100 - width },
	}).ParseFS(templateFiles, "templates/bulletin.html"))
}

// HTML is the bulletin as a page that stands alone.
func (b *Bulletin) HTML() ([]byte, error) {
	var out bytes.Buffer
	err := pages[b.Lang].ExecuteTemplate(&out, "bulletin.html", b)
	return out.Bytes(), err
}

// Package warehouse is the ClickHouse schema: numbered migrations of database retorno, and the views of database
// ceniss that people read. It only says what the schema is; consumers/counting/store applies it.
//
// A released migration is never edited, only followed by another one. Views are replaced as a whole each time, so
// they are kept in one file as they stand.
package warehouse

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

//go:embed migrations/*.sql views.sql
var files embed.FS

// Migration is one numbered step of database retorno.
type Migration struct {
	Number     int      // 1, 2, 3 … without gaps
	Name       string   // as in the file's name
	Checksum   string   // SHA-256 of the file, hexadecimal
	Statements []string // in order, without the closing semicolon; each may be repeated without harm
}

var migrationName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)

// Migrations are all steps in order. An error means that the program was built from a broken tree.
func Migrations() ([]Migration, error) {
	entries, err := fs.ReadDir(files, "migrations")
	if err != nil {
		return nil, err
	}
	var all []Migration
	for i, entry := range entries {
		m := migrationName.FindStringSubmatch(entry.Name())
		if m == nil {
			return nil, fmt.Errorf("migration %s: the name is not NNNN_name.sql", entry.Name())
		}
		number, _ := strconv.Atoi(m[1])
		if number != i+1 {
			return nil, fmt.Errorf("migration %s: expected number %04d", entry.Name(), i+1)
		}
		text, err := files.ReadFile("migrations/" + entry.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, Migration{Number: number, Name: m[2], Checksum: hex.EncodeToString(sum[:]), Statements: statements(string(text))})
	}
	return all, nil
}

// Views are the statements that replace every view, in order.
func Views() ([]string, error) {
	text, err := files.ReadFile("views.sql")
	if err != nil {
		return nil, err
	}
	parsed, err := template.New("views.sql").Funcs(template.FuncMap{
		"periodColumns": periodColumns, "periods": periods, "attributeColumns": attributeColumns, "attributes": attributeNames, "labelColumns": labelColumns, "labels": labels, "label": label,
	}).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, nil); err != nil {
		return nil, err
	}
	return statements(b.String()), nil
}

// statements cuts a file at the semicolons that end a line. Texts of the schema hold none there.
func statements(text string) []string {
	var all []string
	var current strings.Builder
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "--") {
			continue
		}
		rest, ends := strings.CutSuffix(line, ";")
		current.WriteString(rest + "\n")
		if ends {
			all = append(all, strings.TrimSpace(current.String()))
			current.Reset()
		}
	}
	return all
}

// periodColumns declares the columns that periods fills. Weeks are those of ISO 8601.
func periodColumns() string {
	return `day Date COMMENT 'Día, fecha local de Honduras / Day, local date of Honduras',
    week String COMMENT 'Semana ISO, 2016-W01 / ISO week, 2016-W01',
    month String COMMENT 'Mes, 2016-01 / Month, 2016-01',
    quarter String COMMENT 'Trimestre, 2016-Q1 / Quarter, 2016-Q1',
    half_year String COMMENT 'Semestre, 2016-S1 / Half-year, 2016-S1',
    year UInt16 COMMENT 'Año / Year'`
}

// periods writes every period that a column of type Date lies in, in the forms of package calendar.
func periods(day string) string {
	return strings.ReplaceAll(`{day},
    concat(toString(toISOYear({day})), '-W', leftPad(toString(toISOWeek({day})), 2, '0')) AS week,
    formatDateTime({day}, '%Y-%m') AS month,
    concat(toString(toYear({day})), '-Q', toString(toQuarter({day}))) AS quarter,
    concat(toString(toYear({day})), if(toMonth({day}) <= 6, '-S1', '-S2')) AS half_year,
    toYear({day}) AS year`, "{day}", day)
}

// columnsOf are the columns of returns, "returned", or of their counts, "counted".
func columnsOf(which string) ([]*dictionary.Attribute, error) {
	switch which {
	case "returned":
		return dictionary.Returned(), nil
	case "counted":
		return dictionary.Counted(), nil
	}
	return nil, fmt.Errorf("no attributes are called %q", which)
}

// attributeColumns declares the columns that attributeNames selects.
func attributeColumns(which string) (string, error) {
	types := map[dictionary.Type]string{dictionary.Code: "String", dictionary.Codes: "Array(String)", dictionary.Age: "Nullable(UInt8)"}
	attributes, err := columnsOf(which)
	all := make([]string, len(attributes))
	for i, a := range attributes {
		es, en := a.DescriptionES, a.DescriptionEN
		if a.Codes != nil {
			es, en = es+"; "+a.Codes.Unknown+": no declarado", en+"; "+a.Codes.Unknown+": not stated"
		}
		all[i] = fmt.Sprintf("%s %s COMMENT %s", a.Name, types[a.Type], literal(es+" / "+en))
	}
	return strings.Join(all, ",\n    "), err
}

func attributeNames(which string) (string, error) {
	attributes, err := columnsOf(which)
	all := make([]string, len(attributes))
	for i, a := range attributes {
		all[i] = a.Name
	}
	return strings.Join(all, ", "), err
}

func labelColumns(columns ...string) string {
	var all []string
	for _, c := range columns {
		all = append(all,
			fmt.Sprintf("%s_es String COMMENT 'Nombre en español de %s / Label of %s in Spanish'", c, c, c),
			fmt.Sprintf("%s_en String COMMENT 'Nombre en inglés de %s / Label of %s in English'", c, c, c))
	}
	return strings.Join(all, ",\n    ")
}

// labels takes pairs of a column and the code list it is coded in.
func labels(pairs ...string) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("labels: a column without its code list: %q", pairs)
	}
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		column, list := pairs[i], pairs[i+1]
		for _, language := range []string{"es", "en"} {
			text, err := label(column, list, language)
			if err != nil {
				return "", err
			}
			all = append(all, text+" AS "+column+"_"+language)
		}
	}
	return strings.Join(all, ",\n    "), nil
}

// label is the label of a code in the column, in a language, "es" or "en"; the code itself where the list lacks it. The
// whole list stands in the text, so that reading a view needs no right, no server and no login but the reader's own.
func label(column, list, language string) (string, error) {
	codes, ok := codelists.Get(list)
	if !ok {
		return "", fmt.Errorf("label of %s: no code list is called %s", column, list)
	}
	var from, to []string
	for _, c := range codes.Codes() {
		text := c.LabelES
		if language == "en" {
			text = c.LabelEN
		}
		from, to = append(from, literal(c.Code)), append(to, literal(text))
	}
	return fmt.Sprintf("transform(toString(%[1]s), [%[2]s], [%[3]s], toString(%[1]s))", column, strings.Join(from, ", "), strings.Join(to, ", ")), nil
}

// literal writes a text as ClickHouse does.
func literal(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

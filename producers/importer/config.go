package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"retorno/producers/identity"
	"retorno/producers/reading"
	"retorno/schemas/codelists"
)

// Kinds of exports.
const (
	// KindCheckpoint is a file of crossings.
	KindCheckpoint = "checkpoint"
	// KindCentre is a file of registrations or, when it has a column for the kind of help, of help.
	KindCentre = "centre"
)

// Orders of day and month in dates with separators.
const (
	DayFirst   = reading.DayFirst
	MonthFirst = reading.MonthFirst
	YearFirst  = reading.YearFirst // of years with two digits; 2016-06-30 needs no order
)

// First days of the day numbers of spreadsheets.
const (
	DayNumbers1900 = "1900"
	DayNumbers1904 = "1904" // old workbooks of Excel for Mac: 1,462 days later
)

// Numberings of departments.
const (
	NumbersINE          = "ine"          // 02 Colón … 06 Choluteca
	NumbersAlphabetical = "alphabetical" // 02 Choluteca, 03 Colón … 06 Cortés
)

const (
	// MaxBuffer is how much of a source that cannot be read twice is held in memory, in bytes.
	MaxBuffer = 64 << 20
	// MaxRows is the most distinct rows of one file; beyond it, split the export by period.
	MaxRows = 5_000_000
)

// Config says what the file is and decides where its columns alone do not. The zero value of each field but Kind is
// its default.
type Config struct {
	// Kind is KindCheckpoint or KindCentre.
	Kind string
	// System names the system that the export comes from ("inm", "siamir"): lower-case letters, digits and hyphens.
	// It is part of each record's id, since two systems may see one event. Default: the kind.
	System string
	// Source names the file's place in the account of sources, after "import-". Default: system and first row's hash.
	Source string
	// Secret makes person keys. It may be zero when the file has no documents or WithoutDocuments is set.
	Secret identity.Secret
	// WithoutDocuments drops documents: no record will be linked to another.
	WithoutDocuments bool
	// DateOrder is DayFirst, MonthFirst or YearFirst. Default: what each column's header says or its cells prove.
	DateOrder string
	// DayNumbers is DayNumbers1900 or DayNumbers1904. Default: 1900, unless such days are years older than all else.
	DayNumbers string
	// Instants is InstantsDays (times that are midnights of another zone are days) or InstantsMoments. Default: days, where all are
	// midnights as they are written; moments, where they lie at any hour.
	Instants string
	// SexM says what a bare "M" means: "M" man, "F" woman. Default: what the other letters of the column prove.
	SexM string
	// DepartmentNumbers is NumbersINE or NumbersAlphabetical. Default: what the municipalities prove.
	DepartmentNumbers string
	// Now is when the file is read, for the warning of dates to come. Zero: the time of the computer.
	Now time.Time
	// Delimiter separates cells: one of , ; tab |. Default: found out.
	Delimiter rune
	// Charset is the character set: utf-8, windows-1252, cp850, cp437, macintosh, utf-16le or utf-16be. Default: found out.
	Charset string
	// Sheet is the sheet of a workbook. Default: the one sheet that has the columns.
	Sheet string
	// Columns maps a column's name in the file to a field, or to "-" to leave it out, before columns.csv is asked.
	Columns map[string]string
	// Assume gives fields that no column has one text for all rows, such as border_point: "L-COR", direction: "entry".
	Assume map[string]string
	// Missing are texts that state nothing, besides the usual ones (S/I, N/D, null …): "99" in every column, "age=99" in the
	// column of one field, which may also go by its name in the file.
	Missing []string
	// Values says what a text means in one column, such as "country:ES": "SV", before the code lists are asked.
	Values map[string]string
	// DryRun reads, converts and accounts for everything and sends nothing.
	DryRun bool
	// Progress is called with the number of rows read so far; nil: it is not.
	Progress func(rows int)

	rowLimit, bufferLimit, unpackedLimit int64 // lowered in tests
}

// nameWanted says what a name is made of, in Spanish and English.
var nameWanted = [2]string{"minúsculas sin tilde, dígitos, puntos y guiones, a lo más 40", "lower-case letters, digits, dots and hyphens, at most 40"}

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?$`)

// sourcePattern is what a source_id of ours looks like.
var sourcePattern = regexp.MustCompile(`^import-[a-z0-9][a-z0-9._-]{0,55}$`)

// SettingError names a setting that cannot be used.
type SettingError struct{ ES, EN string }

func (e *SettingError) Error() string { return e.EN + "\n" + e.ES }

// Validate names the first setting that cannot be used. Errors: *SettingError.
func (c Config) Validate() error {
	bad := func(setting, value, want, querido string) error {
		return &SettingError{EN: fmt.Sprintf("setting %s is %q; it must be %s", setting, value, want),
			ES: fmt.Sprintf("la opción %s es %q; debe ser %s", setting, value, querido)}
	}
	switch {
	case c.Kind != KindCheckpoint && c.Kind != KindCentre:
		return bad("kind", c.Kind, "checkpoint or centre", "checkpoint o centre")
	case c.System != "" && !namePattern.MatchString(c.System):
		return bad("--system", c.System, nameWanted[1], nameWanted[0])
	case c.Source != "" && !namePattern.MatchString(c.Source):
		return bad("--source", c.Source, nameWanted[1], nameWanted[0])
	case c.DateOrder != "" && !slices.Contains(orders[:], c.DateOrder):
		return bad("--date-order", c.DateOrder, "dmy, mdy or ymd", "dmy, mdy o ymd")
	case c.DayNumbers != "" && c.DayNumbers != DayNumbers1900 && c.DayNumbers != DayNumbers1904:
		return bad("--day-numbers", c.DayNumbers, "1900 or 1904", "1900 o 1904")
	case c.Instants != "" && c.Instants != InstantsDays && c.Instants != InstantsMoments:
		return bad("--instants", c.Instants, "days or moments", "days (días) o moments (horas verdaderas)")
	case c.SexM != "" && c.SexM != "M" && c.SexM != "F":
		return bad("--sex-m", c.SexM, "M (man) or F (woman)", "M (hombre) o F (mujer)")
	case c.DepartmentNumbers != "" && c.DepartmentNumbers != NumbersINE && c.DepartmentNumbers != NumbersAlphabetical:
		return bad("--department-numbers", c.DepartmentNumbers, "ine or alphabetical", "ine o alphabetical (orden alfabético)")
	case c.Delimiter != 0 && !strings.ContainsRune(delimiters, c.Delimiter):
		return bad("--delimiter", string(c.Delimiter), "a comma, a semicolon, a tab or a bar", "coma, punto y coma, tabulador o barra")
	}
	if _, ok := charsetNamed(c.Charset); c.Charset != "" && !ok {
		return bad("--charset", c.Charset, "utf-8, windows-1252, cp850, cp437, macintosh, utf-16le or utf-16be", "utf-8, windows-1252, cp850, cp437, macintosh, utf-16le o utf-16be")
	}
	for column, field := range c.Columns {
		if field != "-" && !fieldsOf(c.Kind)[field] {
			return bad("--column="+column, field, "a field of this kind ("+fieldNames(c.Kind)+") or -", "un campo de este tipo de archivo ("+fieldNames(c.Kind)+") o -")
		}
	}
	for field := range c.Assume {
		if !fieldsOf(c.Kind)[field] {
			return bad("--assume", field, "one of "+fieldNames(c.Kind), "uno de "+fieldNames(c.Kind))
		}
	}
	for _, text := range c.Missing {
		if column, code, ok := strings.Cut(text, "="); strings.TrimSpace(text) == "" || ok && (strings.TrimSpace(column) == "" || strings.TrimSpace(code) == "") {
			return bad("--missing", text, "a text, or FIELD=TEXT", "un texto, o CAMPO=TEXTO")
		}
	}
	for key := range c.Values {
		if column, text, _ := strings.Cut(key, ":"); strings.TrimSpace(column) == "" || strings.TrimSpace(text) == "" {
			return bad("--value", key, "FIELD:TEXT=CODE", "CAMPO:TEXTO=CÓDIGO")
		}
	}
	return nil
}

func (c Config) system() string {
	if c.System == "" {
		return c.Kind
	}
	return c.System
}

func (c Config) maxRows() int64 {
	if c.rowLimit > 0 {
		return c.rowLimit
	}
	return MaxRows
}

func (c Config) maxBuffer() int64 {
	if c.bufferLimit > 0 {
		return c.bufferLimit
	}
	return MaxBuffer
}

// maxUnpacked and maxWorkbook bound what comes out of a compressed file.
func (c Config) maxUnpacked() int64 {
	if c.unpackedLimit > 0 {
		return c.unpackedLimit
	}
	return maxUnpacked
}

func (c Config) maxWorkbook() int64 { return min(c.maxUnpacked(), maxWorkbook) }

// assumed returns the text that Assume gives for a field.
func (c Config) assumed(field string) string { return strings.TrimSpace(c.Assume[field]) }

// unknownCode is the code for "not stated" of a list.
func unknownCode(list string) string {
	l, _ := codelists.Get(list)
	return l.Unknown
}

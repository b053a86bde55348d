package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"retorno/deploy/command/screen"
	"retorno/producers/importer"
	"retorno/producers/imports"
)

type importCommand struct {
	Checkpoint importCheckpointCommand `cmd:"" help:"Import a file of crossings."`
	Centre     importCentreCommand     `cmd:"" help:"Import a file of registrations, or of help when it has a column for its kind."`
	List       importListCommand       `cmd:"" help:"List what was imported: source, days, rows that count, are void, are rejected."`
	Void       importVoidCommand       `cmd:"" help:"Take an import back: none of its rows counts any more."`
}

// Help is the longer text of --help.
func (importCommand) Help() string {
	return helpText(`Reads other systems' exports, and keeps account of them: what was imported can be listed, replaced by a corrected file, and taken back.

Lee exportaciones de otros sistemas y lleva cuenta de ellas: lo importado se puede ver en una lista, reemplazar por un archivo corregido y anular.`,
		"retorno import centre camr.csv --check", "retorno import list", "retorno import centre camr-corrected.csv --replace=import-centre-1f0c7b2a", "retorno import void import-centre-1f0c7b2a")
}

type importCheckpointCommand struct{ importFile }

type importCentreCommand struct{ importFile }

// Run imports the file.
func (c *importCheckpointCommand) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, importer.KindCheckpoint)
}

// Run imports the file.
func (c *importCentreCommand) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, importer.KindCentre)
}

// importFile is the import of one file.
type importFile struct {
	File  string     `arg:"" placeholder:"FILE" help:"The export: CSV, CSV in .gz, or an Excel workbook (.xlsx)."`
	Kafka kafkaFlags `embed:"" prefix:"kafka-"`

	Check             bool              `per:"call" help:"Read everything, show rows, rejected ones, doubts, date order and what would change, and send nothing; rejected rows are written to their file."`
	Replace           string            `per:"call" placeholder:"SOURCE" help:"The file takes the place of that import (see import list): corrected rows are revisions, rows that it lacks are voided, new ones counted."`
	OnlyItsDays       bool              `per:"call" help:"With --replace: the file replaces the days from its first to its last, and rows of other days stay counted."`
	Keep              bool              `per:"call" help:"Rows of an earlier import that this file lacks stay counted beside it."`
	System            string            `per:"call" placeholder:"NAME" help:"System that the export comes from, such as siamir; part of each record's id. Default: the kind."`
	Source            string            `per:"call" placeholder:"NAME" help:"Name of this series of exports in the account of sources; else made from the first good row."`
	DateOrder         string            `per:"call" enum:",dmy,mdy,ymd" default:"" placeholder:"ORDER" help:"Order of day, month and year in dates of figures, dmy, mdy or ymd, where neither the column's name nor its dates prove it."`
	DayNumbers        string            `per:"call" enum:",1900,1904" default:"" placeholder:"YEAR" help:"From which year day numbers of a spreadsheet are counted, 1900 or 1904, where they are far older than all other dates."`
	Instants          string            `per:"call" enum:",days,moments" default:"" placeholder:"WHAT" help:"What times with an offset from UTC stand for, days or moments, where many are midnights of another zone."`
	SexM              string            `name:"sex-m" per:"call" enum:",M,F" default:"" placeholder:"SEX" help:"What a bare M means, M (man) or F (mujer), where the column does not prove it."`
	DepartmentNumbers string            `per:"call" enum:",ine,alphabetical" default:"" placeholder:"HOW" help:"How departments are numbered, ine or alphabetical, where the municipalities do not prove it."`
	Delimiter         string            `per:"call" placeholder:"CHAR" help:"Between cells: comma, semicolon, tab (\\t) or bar; found out by default."`
	Charset           string            `per:"call" placeholder:"NAME" help:"Character set: utf-8, windows-1252, cp850, cp437, macintosh, utf-16le or utf-16be; found out by default."`
	Sheet             string            `per:"call" placeholder:"NAME" help:"Sheet of an Excel workbook, where several have the columns."`
	Column            map[string]string `per:"call" placeholder:"NAME=FIELD" help:"What a column of the file is: a field, or - to leave it out; of two columns of one name, NAME#2 is the second. Repeat it for more."`
	Assume            map[string]string `per:"call" placeholder:"FIELD=TEXT" help:"A field that no column has, the same for all rows, such as border_point=L-COR. Repeat it for more."`
	Missing           []string          `per:"call" placeholder:"CODES" help:"Texts that state nothing, besides S/I, N/D, null and the like, separated by commas: 99 in every column, FIELD=99 in one."`
	Value             map[string]string `per:"call" placeholder:"FIELD:TEXT=CODE" help:"What a text means in one column, where it may mean two things or is in no list, such as country:ES=SV. Repeat it for more."`
	WithoutDocuments  bool              `per:"call" help:"Drop document numbers: no record will be linked to another."`
	DryRun            bool              `per:"call" help:"Read and account for everything, without asking Kafka what was imported before, and send nothing."`
	JSON              bool              `name:"json" per:"call" help:"The account as JSON."`

	identityFlags
}

// Help is the longer text of --help.
func (importFile) Help() string {
	return helpText(`Reads another system's export, CSV or Excel (.xlsx), as it really comes, and sends its rows to Kafka as events: comma or semicolon, UTF-8, Windows-1252 or an old code page, dd/mm/yyyy or ISO dates, posts by name or code. Rows that cannot be understood go to FILE.rejected.csv with line, column and reason; mend them there and import that file.

The same file twice changes nothing, in whatever order its rows stand; a file that has grown brings its new rows. A file that repeats an earlier one but lacks or changes some of its rows is refused until it is said what it is: the corrected file (--replace), one beside it (--keep), or another one (--source). In its place, a row with corrected cells is the next revision of its record, a row that is gone is a void.

Document numbers become person keys here, under a secret of at least 32 bytes that all agents share, and do not leave this computer; names are dropped.

Lee la exportación de otro sistema, CSV o Excel (.xlsx), tal como viene, y envía sus filas a Kafka. Las filas que no se entienden quedan en FILE.rejected.csv, con línea, columna y motivo; corríjalas ahí e importe ese archivo. El mismo archivo dos veces no cambia nada. Uno que repite otro, sin algunas filas o con otras celdas, no se importa hasta decir qué es: el corregido (--replace), uno que lo complementa (--keep) u otro archivo (--source). En su lugar, una fila corregida es la siguiente revisión de su registro; una que ya no está se anula. Revise antes con --check.

Los documentos se convierten aquí en claves de persona, con un secreto común, y no salen de esta computadora; los nombres se descartan. Las opciones y los mensajes se explican en español en docs/importing.md.`,
		"retorno import checkpoint corinto-2016.csv --system=inm --identity-key-file=identity.key",
		"retorno import centre camr.csv --without-documents --check", "retorno import checkpoint posts.csv --assume=border_point=L-COR --assume=direction=entry --column='Paso=border_point'")
}

// Validate refuses flags that contradict each other.
func (c *importFile) Validate() error {
	switch {
	case c.Replace != "" && c.Keep:
		return errors.New("--replace takes rows back that the file lacks, --keep keeps them: say one of them\n--replace anula las filas que faltan en el archivo y --keep las conserva: indique una de las dos")
	case c.Replace != "" && c.Source != "":
		return errors.New("--replace names the source already: leave --source out\n--replace ya nombra la fuente: quite --source")
	case c.OnlyItsDays && c.Replace == "":
		return errors.New("--only-its-days limits --replace: name the import with --replace=SOURCE\n--only-its-days limita --replace: indique la importación con --replace=FUENTE")
	case c.DryRun && (c.Check || c.Replace != ""):
		return errors.New("--dry-run does not ask what was imported before: say --check alone, or with --replace\n--dry-run no pregunta qué se importó antes: use --check solo, o con --replace")
	}
	return c.Kafka.Validate()
}

// config is what the importer is told.
func (c *importFile) config(kind string) (importer.Config, error) {
	cfg := importer.Config{Kind: kind, System: c.System, Source: c.Source, WithoutDocuments: c.WithoutDocuments, DateOrder: c.DateOrder, DayNumbers: c.DayNumbers,
		Instants: c.Instants, SexM: c.SexM, DepartmentNumbers: c.DepartmentNumbers, Charset: c.Charset, Sheet: c.Sheet, Columns: c.Column, Assume: c.Assume, Missing: c.Missing, Values: c.Value, DryRun: c.DryRun}
	if c.Delimiter != "" {
		text := strings.ReplaceAll(c.Delimiter, `\t`, "\t")
		r, size := utf8.DecodeRuneInString(text)
		if size != len(text) {
			return cfg, Usage(fmt.Errorf("--delimiter %q: one character is wanted\n--delimiter %[1]q: debe ser un solo carácter", c.Delimiter))
		}
		cfg.Delimiter = r
	}
	var err error
	if cfg.Secret, err = c.secret(); err != nil {
		return cfg, err
	}
	return cfg, Usage(cfg.Validate())
}

func (c *importFile) run(ctx context.Context, t *terminal, kind string) error {
	cfg, err := c.config(kind)
	if err != nil {
		return err
	}
	input, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = input.Close() }()
	bar := screen.NewProgress(t.Err, "rows read", 0)
	cfg.Progress = func(rows int) { bar.Set(int64(rows)) }
	rejected := importer.NewRejectedFile(c.File)
	result := importResult{}
	if c.DryRun {
		result.Summary, err = importer.Import(ctx, cfg, c.File, input, nil, rejected)
		bar.End()
		err = errors.Join(err, c.warn(t, result.Warnings))
	} else {
		var file *importer.File
		file, err = importer.Read(ctx, cfg, c.File, input)
		bar.End()
		defer func() { _ = file.Close() }()
		if err == nil {
			result.Summary = file.Summary
			err = c.send(ctx, t, file, &result, rejected)
		}
	}
	if err != nil {
		rejected.Discard()
		return c.failed(err)
	}
	if err := rejected.Close(); err != nil {
		return err
	}
	return c.conclude(t, result, rejected)
}

// send compares the file with what was imported before, says what will change, and sends it.
func (c *importFile) send(ctx context.Context, t *terminal, file *importer.File, result *importResult, rejected io.Writer) error {
	if err := c.warn(t, file.Summary.Warnings); err != nil {
		return err
	}
	kafka, err := c.Kafka.openImports(ctx, t.Log, !c.Check)
	if err != nil {
		return err
	}
	defer kafka.close()
	plan, err := imports.Make(ctx, &kafka.cluster, file, imports.Options{Replace: importName(c.Replace), OwnDays: c.OnlyItsDays, Keep: c.Keep, Named: c.Source != ""})
	if err != nil {
		return advised(err)
	}
	result.Source, result.Changes = plan.Source, &plan.Changes
	said := t.Out
	if c.JSON {
		said = t.Err
	}
	if _, err := io.WriteString(said, changes(plan.Changes)); err != nil {
		return err
	}
	if err := file.WriteRejected(rejected, plan.Rejected); err != nil || c.Check {
		return err
	}
	result.Sent, err = kafka.send(ctx, t, plan)
	return err
}

// warn says what was taken and may yet be wrong, before anything of it is sent.
func (c *importFile) warn(t *terminal, warnings []importer.Warning) error {
	for _, w := range warnings {
		es, en := w.Text()
		if _, err := fmt.Fprintf(t.Err, "%s / %s\n", es, en); err != nil {
			return err
		}
	}
	return nil
}

// importResult is what --json prints.
type importResult struct {
	importer.Summary
	// Changes are what the file changes, compared with what was imported before; null after --dry-run, which does not ask.
	Changes *imports.Changes `json:"changes"`
	// Sent is how many records were sent: new ones, revisions and voids.
	Sent int64 `json:"sent"`
}

// failed gives the failure of an import its exit status and the way out.
func (c *importFile) failed(err error) error {
	var unreadable *importer.FileError
	var replaces *imports.ReplacesError
	var alike *imports.AlikeError
	var taken *imports.TakenError
	var unknown *imports.UnknownError
	var cutOff *cutOffError
	switch {
	case errors.As(err, &unreadable):
		said := fmt.Errorf("%w\n%s: %s", err, c.File, unreadable.ES) // err names the file already
		if unreadable.Code == "no_secret" {
			return Usage(said)
		}
		return No(said)
	case errors.As(err, &replaces):
		en, es := "", ""
		if replaces.OtherDays > 0 {
			en = " (and with --only-its-days if it is only a part of it, so that the other days stay counted)"
			es = " (y con --only-its-days si es solo una parte, para que los otros días sigan contando)"
		}
		return No(fmt.Errorf("%s: %w; nothing was sent: import it with --replace=%s if it is the corrected file%s, with --keep if those rows stay counted beside it, or under a --source of its own\n%s; no se envió nada: importe con --replace=%[3]s si es el archivo corregido%[6]s, con --keep si esas filas siguen contando, o con --source si es otro archivo",
			c.File, err, replaces.Import.Source, en, replaces.Spanish(), es))
	case errors.As(err, &alike):
		return No(fmt.Errorf("%s: %w; nothing was sent: import it under another --system if they are other people, with --keep if they are the same, which count once\n%s; no se envió nada: importe con otro --system si son otras personas, o con --keep si son las mismas, que cuentan una sola vez",
			c.File, err, alike.Spanish()))
	case errors.As(err, &taken):
		return No(fmt.Errorf("%s: %w; nothing was sent: take those rows out of the file, or import it with --keep if they are to count beside the others\n%s; no se envió nada: quite esas filas del archivo, o importe con --keep si deben contar además de las otras",
			c.File, err, taken.Spanish()))
	case errors.As(err, &unknown):
		return Usage(fmt.Errorf("%w\n%s", err, unknown.Spanish()))
	case errors.As(err, &cutOff):
		return fmt.Errorf("%w; import the same file again, nothing is counted twice", err)
	default:
		return err
	}
}

func (c *importFile) conclude(t *terminal, s importResult, rejected *importer.RejectedFile) error {
	var err error
	if c.JSON {
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(s)
	} else {
		err = c.print(t.Out, s)
	}
	if err != nil {
		return err
	}
	if s.Rejected > 0 {
		bad, all := screen.Count(int64(s.Rejected)), screen.Count(int64(s.Accepted+s.Rejected))
		en := fmt.Sprintf("%s of %s rows were rejected; they stand with their reasons in %s", bad, all, rejected.Path())
		es := fmt.Sprintf("se rechazaron %s de %s filas; están, con su motivo, en %s", bad, all, rejected.Path())
		if kept := rejected.Kept(); kept != "" {
			en += fmt.Sprintf("; %s, which says something else or was mended, stays as it is", kept)
			es += fmt.Sprintf("; %s, que dice otra cosa o se corrigió, queda como está", kept)
		}
		return No(fmt.Errorf("%s\n%s", en, es))
	}
	return nil
}

// print writes the account for people.
func (c *importFile) print(w io.Writer, s importResult) error {
	did, hizo := "accepted", "aceptadas"
	if c.DryRun || c.Check {
		did, hizo = "acceptable", "aceptables"
	}
	n := func(n int) string { return screen.Count(int64(n)) }
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %q between cells, %s rows: %s %s, %s rejected, %s blank, %s headers, %s notes\n", s.File, s.Charset, s.Delimiter,
		n(s.Read), n(s.Accepted), did, n(s.Rejected), n(s.Blank), n(s.Headers), n(s.Notes))
	fmt.Fprintf(&b, "%s: %s, %q entre celdas, %s filas: %s %s, %s rechazadas, %s en blanco, %s cabeceras, %s notas\n", s.File, s.Charset, s.Delimiter,
		n(s.Read), n(s.Accepted), hizo, n(s.Rejected), n(s.Blank), n(s.Headers), n(s.Notes))
	if s.Accepted > 0 {
		fmt.Fprintf(&b, "source %s, from %s to %s; %s rows without a person key, %s alike\n", s.Source, s.First, s.Last, n(s.WithoutPerson), n(s.Alike))
		fmt.Fprintf(&b, "fuente %s, del %s al %s; %s filas sin clave de persona, %s iguales a otra\n", s.Source, s.First, s.Last, n(s.WithoutPerson), n(s.Alike))
	}
	if c.DryRun || c.Check {
		columns := slices.Sorted(maps.Keys(s.Columns))
		for i, column := range columns {
			columns[i] = fmt.Sprintf("%q = %s", column, s.Columns[column])
		}
		fmt.Fprintf(&b, "columnas leídas / columns read: %s\n", strings.Join(columns, ", "))
	}
	for _, column := range slices.Sorted(maps.Keys(s.DateOrders)) {
		fmt.Fprintf(&b, "orden de fechas / date order of %s: %s\n", column, s.DateOrders[column])
	}
	for _, code := range slices.Sorted(maps.Keys(s.RejectedBy)) {
		es, en := importer.Warning{Code: code}.Reason()
		fmt.Fprintf(&b, "rechazadas / rejected: %s %s (%s / %s)\n", n(s.RejectedBy[code]), code, es, en)
	}
	switch {
	case c.Check:
		b.WriteString("enviado: nada, fue una revisión / sent: nothing, this was a check\n")
	case !c.DryRun:
		fmt.Fprintf(&b, "enviado / sent: %s registros / records\n", n(int(s.Sent)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

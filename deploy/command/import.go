package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"retorno/deploy/command/screen"
	"retorno/deploy/command/settings"
	"retorno/producers/importer"
	"retorno/schemas/events"
)

type importCommand struct {
	Kind  string     `arg:"" enum:"checkpoint,centre" help:"What the rows are: checkpoint (crossings) or centre (registrations, or help when there is a column for its kind)."`
	File  string     `arg:"" placeholder:"FILE" help:"The export: CSV, CSV in .gz, or an Excel workbook (.xlsx)."`
	Kafka kafkaFlags `embed:"" prefix:"kafka-"`

	System            string            `per:"call" placeholder:"NAME" help:"System that the export comes from, such as siamir; part of each record's id. Default: the kind."`
	Source            string            `per:"call" placeholder:"NAME" help:"Name of this series of exports in the account of sources; else made from the first row."`
	DateOrder         string            `per:"call" enum:",dmy,mdy" default:"" placeholder:"ORDER" help:"dmy or mdy, where the dates do not prove it."`
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
	DryRun            bool              `per:"call" help:"Read and account for everything, send nothing."`
	JSON              bool              `name:"json" per:"call" help:"The account as JSON."`

	identityFlags
}

// Help is the longer text of --help.
func (importCommand) Help() string {
	return helpText(`Reads another system's export, CSV or Excel (.xlsx), as it really comes, and sends its rows to Kafka as events: comma or semicolon, UTF-8, Windows-1252 or an old code page, dd/mm/yyyy or ISO dates, posts by name or code. Rows that cannot be understood go to FILE.rejected.csv with line, column and reason; mend them there and import that file. The same file twice changes nothing, because ids are made from the content.

Document numbers become person keys here, under a secret of at least 32 bytes that all agents share, and do not leave this computer; names are dropped.`,
		"retorno import checkpoint corinto-2016.csv --system=inm --identity-key-file=identity.key",
		"retorno import centre camr.csv --without-documents --dry-run", "retorno import checkpoint posts.csv --assume=border_point=L-COR --assume=direction=entry --column='Paso=border_point'")
}

// config is what the importer is told.
func (c *importCommand) config() (importer.Config, error) {
	cfg := importer.Config{Kind: c.Kind, System: c.System, Source: c.Source, WithoutDocuments: c.WithoutDocuments, DateOrder: c.DateOrder,
		SexM: c.SexM, DepartmentNumbers: c.DepartmentNumbers, Charset: c.Charset, Sheet: c.Sheet, Columns: c.Column, Assume: c.Assume, Missing: c.Missing, Values: c.Value, DryRun: c.DryRun}
	if c.Delimiter != "" {
		text := strings.ReplaceAll(c.Delimiter, `\t`, "\t")
		r, size := utf8.DecodeRuneInString(text)
		if size != len(text) {
			return cfg, Usage(fmt.Errorf("--delimiter %q: one character is wanted", c.Delimiter))
		}
		cfg.Delimiter = r
	}
	var err error
	if cfg.Secret, err = c.secret(); err != nil {
		return cfg, err
	}
	return cfg, Usage(cfg.Validate())
}

// Run imports the file.
func (c *importCommand) Run(ctx context.Context, t *terminal) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var out outbox
	if !c.DryRun {
		writer, err := c.Kafka.openWriter(ctx, t.Log, nil)
		if err != nil {
			return err
		}
		defer func() { _ = writer.Close() }()
		out = newOutbox(writer)
	}
	rejected := importer.NewRejectedFile(c.File)
	bar := screen.NewProgress(t.Err, "rows read", 0)
	var rows int64
	summary, err := importer.Import(ctx, cfg, c.File, file, func(e *events.Envelope) error {
		rows++
		bar.Set(rows)
		message, err := out.seal(events.Line{Envelope: e})
		if err != nil {
			return err
		}
		return out.put(ctx, message)
	}, rejected)
	if err == nil && !c.DryRun {
		err = out.flush(ctx)
	}
	bar.End()
	if err != nil {
		rejected.Discard()
		return c.failed(out.sent, err)
	}
	if err := rejected.Close(); err != nil {
		return err
	}
	return c.conclude(t, summary, rejected.Path())
}

// failed gives the failure of an import its exit status and says what became of the rows.
func (c *importCommand) failed(sent int64, err error) error {
	var unreadable *importer.FileError
	switch {
	case errors.As(err, &unreadable) && unreadable.Code == "no_secret":
		return Usage(fmt.Errorf("%w: --identity-key-file or %s, or --without-documents", err, settings.EnvironmentName("identity-key")))
	case errors.As(err, &unreadable):
		return No(err)
	case sent > 0:
		return fmt.Errorf("after %s rows that were acknowledged: %w; import the same file again, nothing is counted twice", screen.Count(sent), err)
	default:
		return err
	}
}

func (c *importCommand) conclude(t *terminal, s importer.Summary, rejected string) error {
	var err error
	if c.JSON {
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(s)
	} else {
		err = c.print(t.Out, s)
	}
	for _, w := range s.Warnings {
		es, en := w.Text()
		if _, e := fmt.Fprintf(t.Err, "%s / %s\n", es, en); e != nil {
			return errors.Join(err, e)
		}
	}
	if err != nil {
		return err
	}
	if s.Rejected > 0 {
		return No(fmt.Errorf("%s of %s rows were rejected; they stand with their reasons in %s", screen.Count(int64(s.Rejected)), screen.Count(int64(s.Accepted+s.Rejected)), rejected))
	}
	return nil
}

// print writes the account for people.
func (c *importCommand) print(w io.Writer, s importer.Summary) error {
	did := "sent"
	if c.DryRun {
		did = "would be sent"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %q between cells, %s rows: %s %s, %s rejected, %s blank, %s headers, %s notes\n", s.File, s.Charset, s.Delimiter,
		screen.Count(int64(s.Read)), screen.Count(int64(s.Accepted)), did, screen.Count(int64(s.Rejected)), screen.Count(int64(s.Blank)), screen.Count(int64(s.Headers)), screen.Count(int64(s.Notes)))
	if s.Accepted > 0 {
		fmt.Fprintf(&b, "source %s, from %s to %s; %s rows without a person key, %s alike\n", s.Source, s.First, s.Last, screen.Count(int64(s.WithoutPerson)), screen.Count(int64(s.Alike)))
	}
	var codes []string
	for code := range s.RejectedBy {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		fmt.Fprintf(&b, "rejected: %s %s\n", screen.Count(int64(s.RejectedBy[code])), code)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"retorno/consumers/counting/verify"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/release"
	"retorno/consumers/dissemination/vintages"
	"retorno/deploy/command/screen"
	"retorno/schemas/calendar"
)

type publishCommand struct {
	Period           string          `arg:"" help:"The period: a year 2016, a half-year 2016-S1, a quarter 2016-Q2, a month 2016-06, an ISO week 2016-W26 or a day 2016-06-30."`
	Kafka            kafkaFlags      `embed:"" prefix:"kafka-"`
	ClickHouse       clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Provisional      bool            `per:"call" xor:"status" help:"Publish it as provisional, which is the default."`
	Final            bool            `per:"call" xor:"status" help:"Publish it as final, once; the period must be over."`
	Revision         bool            `per:"call" xor:"status" help:"Publish a revision of its final vintage; --reason says why."`
	Reason           string          `per:"call" placeholder:"TEXT" help:"Why the final vintage is revised, as the public is told."`
	AcceptIncomplete string          `per:"call" placeholder:"TEXT" help:"Publish although records are missing or computers silent, for this reason, which the vintage shows."`
	NextRelease      string          `per:"call" placeholder:"DATE" help:"The day that is announced for the next publication, such as 2017-02-15; the vintage, its bulletin, the calendar and the catalogue show it."`
	MaxMissing       uint64          `default:"0" placeholder:"N" help:"How many records of the period may be missing without --accept-incomplete."`
	MaxSilent        uint64          `default:"0" placeholder:"N" help:"How many computers may have been silent since they sent in the period without --accept-incomplete."`
	ProvisionalEvery time.Duration   `default:"672h" placeholder:"DURATION" help:"How long after a provisional vintage of a period the next one may come."`
	Wait             time.Duration   `default:"3m" placeholder:"DURATION" help:"How long to wait until the second count has compared what the logs held when the command began; longer than the pauses of retorno verify."`
	Verified         time.Duration   `name:"verified-within" default:"48h" placeholder:"DURATION" help:"How long ago the latest full pass of the verifier may have begun."`
	publicFlags
	failpoints
	JSON bool `name:"json" per:"call" help:"The publication, or every reason why there is none, as one JSON document."`
}

// Help is the longer text of --help.
func (publishCommand) Help() string {
	return helpText("Keeps the counts of a period as they are now, for ever: a new vintage of it, in ceniss.publications and ceniss.published_counts, with the moment, the coverage and the positions of the ledger. Vintages before it stay as they are, and each keeps its number.\n\nNothing is published, with status 1 and every reason named, unless the ledger has reached the ends that the logs had when the command began, no partition has stopped, the latest full pass of the verifier found no difference and is young enough, and no more records of the period are missing and computers silent than the limits allow, and an attack on the tables of a half-year, beside all earlier vintages and the counts of --known, finds nothing. A final vintage and a revision need a period that is over; a revision needs a final vintage; a provisional one comes before that, and not too soon after another. `retorno revisions` says why vintages differ. Counting may go on meanwhile; when cells of the period keep changing, or another publisher is at work, it gives up with status 1.",
		"retorno publish 2016-S1", "retorno publish 2016-S1 --final --json", `retorno publish 2016-S1 --final --accept-incomplete="the post of Agua Caliente was flooded in May"`, `retorno publish 2016-S1 --revision --reason="registrations that came late"`)
}

// Validate names what cannot be.
func (c *publishCommand) Validate() error {
	if c.Verified <= 0 {
		return fmt.Errorf("--verified-within %s: must be more than nothing", c.Verified)
	}
	if c.Wait < 0 {
		return fmt.Errorf("--wait %s: must not be negative", c.Wait)
	}
	if c.ProvisionalEvery < 0 {
		return fmt.Errorf("--provisional-every %s: must not be negative", c.ProvisionalEvery)
	}
	if c.Revision != (c.Reason != "") {
		return errors.New("--revision and --reason TEXT go together")
	}
	return nil
}

// Run publishes the period.
func (c *publishCommand) Run(ctx context.Context, t *terminal) error {
	period, err := calendar.ParsePeriod(c.Period)
	if err != nil {
		return Usage(err)
	}
	order := release.Order{Period: period, Status: release.Provisional, AsOf: time.Now(), Reason: c.Reason, Accepted: c.AcceptIncomplete, Next: c.NextRelease, Software: version}
	switch {
	case c.Final:
		order.Status = release.Final
	case c.Revision:
		order.Status = release.Revision
	}
	if err := order.Validate(); err != nil {
		return Usage(err)
	}
	public, err := c.public()
	if err != nil {
		return err
	}
	if public.Key == nil && order.Public() {
		return Usage(errors.New("the public form of a half-year's vintage is signed: name a key with --signing-key; `retorno vintage new-key FILE` makes one"))
	}
	kafka, err := c.Kafka.verified(ctx, t.Log)
	if err != nil {
		return err
	}
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	gate := release.Gate{Wait: c.Wait, VerifiedWithin: c.Verified, MaxMissing: c.MaxMissing, MaxSilent: c.MaxSilent, ProvisionalEvery: c.ProvisionalEvery, Ends: func(ctx context.Context) ([]release.Position, error) { return logEnds(ctx, kafka) }}
	p, err := release.Publish(ctx, c.failpoints.on(s.Conn()), gate, public, order)
	if err != nil {
		return c.refuse(t.Out, err)
	}
	if public.PDF == nil && p.Key != "" {
		t.say("%s", unprinted)
	}
	if c.JSON {
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(p)
	}
	if err := printPublication(t.Out, p, public.Lattice); err != nil || p.Key == "" {
		return err
	}
	return printVintages(ctx, t.Out, s.Conn(), "", p.Period, p.Vintage)
}

// unprinted says that the bulletin has no PDF.
const unprinted = "el boletín se publicó sin PDF, que hace Typst: no está en el PATH, o --typst no lo quiso / the bulletin was published without a PDF, which Typst makes: it is not on the PATH, or --typst did not want it"

// refuse gives an error its exit status, and with --json writes the reasons of a refusal.
func (c *publishCommand) refuse(w io.Writer, err error) error {
	var refused *release.RefusedError
	switch {
	case errors.As(err, &refused):
		err = nil
		if c.JSON {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			err = encoder.Encode(struct {
				Period  string           `json:"period"`
				Refused []release.Reason `json:"refused"`
			}{refused.Period, refused.Reasons})
		}
		return No(errors.Join(refusal(refused), err))
	case errors.Is(err, release.ErrNoCounts), errors.Is(err, release.ErrMoving), errors.Is(err, release.ErrUnfinished), errors.Is(err, release.ErrConcurrent):
		return No(err)
	}
	return err
}

// refusal says that no new vintage was made, and every reason. What was published before is as it was.
func refusal(refused *release.RefusedError) error {
	text := fmt.Sprintf("no se hizo ninguna edición nueva de %[1]s; las publicadas quedan como están / no new vintage of %[1]s was made; those published stay as they are", refused.Period)
	for _, r := range refused.Reasons {
		text += fmt.Sprintf("\n%s: %s; %s", r.Code, r.Why, r.Do)
	}
	return errors.New(text)
}

// logEnds are the ends of the logs of both fact topics.
func logEnds(ctx context.Context, kafka *verify.Kafka) ([]release.Position, error) {
	ends, err := kafka.Ends(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]release.Position, len(ends))
	for i, end := range ends {
		all[i] = release.Position{Topic: end.Topic, Partition: uint16(end.Partition), NextOffset: uint64(end.Next)}
	}
	return all, nil
}

// printPublication says in both languages what was published.
func printPublication(w io.Writer, p release.Publication, l *lattice.Lattice) error {
	states := map[release.Status]string{release.Provisional: "provisional", release.Final: "definitiva", release.Revision: "revisión"}
	at := p.AsOf.In(calendar.Zone()).Format("2006-01-02 15:04:05")
	coverage := "–"
	if p.Reconciled > 0 {
		coverage = fmt.Sprintf("%.1f %%", 100*float64(p.Registered)/float64(p.Reconciled))
	}
	_, err := fmt.Fprintf(w, `%[1]s (%[2]s a %[3]s), edición %[4]d, %[5]s, contada el %[6]s, hora de Honduras
  %[7]s retornos registrados de %[8]s conocidos (%[9]s), %[10]s vistos en puestos, %[11]s anotados tarde, %[12]s registros faltan, %[16]s computadoras callan, %[15]s posiciones dadas por perdidas
%[1]s (%[2]s to %[3]s), vintage %[4]d, %[13]s, counted on %[6]s, time of Honduras
  %[7]s registered returns of %[8]s known (%[9]s), %[10]s seen at posts, %[11]s written down late, %[12]s records missing, %[16]s computers silent, %[15]s offsets given up
%[14]s
`, p.Period, p.First, p.Last, p.Vintage, states[p.Status], at,
		screen.Count(int64(p.Registered)), screen.Count(int64(p.Reconciled)), coverage, screen.Count(int64(p.Checkpoint)), screen.Count(int64(p.Late)), screen.Count(int64(p.Missing)),
		p.Status, p.ID, screen.Count(int64(p.Lost)), screen.Count(int64(p.Silent)))
	for _, said := range []struct{ es, en, text string }{{"Revisa porque", "Revised because", p.Reason}, {"Se publica incompleta porque", "Published incomplete because", p.Accepted}} {
		if err == nil && said.text != "" {
			_, err = fmt.Fprintf(w, "%s / %s: %s\n", said.es, said.en, said.text)
		}
	}
	if err == nil && p.KeyBefore != "" {
		_, err = fmt.Fprintf(w, "firmada con la clave %[1]s, y la edición anterior con %[2]s: avise a quienes la verifican\nsigned by the key %[1]s, and the vintage before by %[2]s: tell those who verify it\n", p.Key, p.KeyBefore)
	}
	if err == nil && len(p.LeftOut) > 0 {
		_, err = fmt.Fprintf(w, "cuadros que no se publican, porque con ellos se podrían calcular conteos de pocas personas\ntables that are left out, because with them counts of few persons could be computed\n%s", titles(p.LeftOut, l))
	}
	return err
}

// titles are tables of the lattice, a line each.
func titles(ids []string, l *lattice.Lattice) string {
	var b strings.Builder
	for _, id := range ids {
		es, en := l.Title(id)
		fmt.Fprintf(&b, "  %-5s %s / %s\n", id, es, en)
	}
	return b.String()
}

// printVintages says in both languages what the certificates of a period's public vintages say, and where these are; number 0 means all
// that there are, period "" all periods. Without host, which is what their addresses begin with, they are on the server of serve.
func printVintages(ctx context.Context, w io.Writer, conn vintages.Conn, host, period string, number uint64) error {
	shelf := vintages.NewShelf(conn, time.Minute, 0)
	all, err := shelf.List(ctx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if period != "" && v.Period != period || number > 0 && v.Number != number {
			continue
		}
		b, err := bundle.Open(ctx, vintages.Folder{Shelf: shelf, Period: v.Period, Number: v.Number}, nil)
		if err != nil {
			return err
		}
		where := host + vintages.Address(v.Period, v.Number)
		if host == "" {
			where += "   (en el servidor de / on the server of `" + program + " serve`)"
		}
		if _, err := fmt.Fprintf(w, "%s%s\n", certified(b), where); err != nil {
			return err
		}
	}
	return nil
}

// certified says in both languages what a certificate says.
func certified(b *bundle.Bundle) string {
	c, es, en := b.Certificate, "ninguna reservada", "none withheld"
	switch n := screen.Count(int64(c.Withheld)); {
	case c.Withheld > 0 && c.Audit.Determined == 0:
		es, en = n+" reservadas, ninguna se puede calcular", n+" withheld, none of them can be computed"
	case c.Withheld > 0:
		es, en = fmt.Sprintf("%s reservadas, %d se pueden calcular", n, c.Audit.Determined), fmt.Sprintf("%s withheld, %d of them can be computed", n, c.Audit.Determined)
	}
	if c.Kept > 0 {
		n := screen.Count(int64(c.Kept))
		es, en = es+"; "+n+" conservan el conteo de una edición anterior", en+"; "+n+" keep the count of an earlier vintage"
	}
	return fmt.Sprintf("certificado: %[1]d cuadros, %[2]s celdas; %[3]s; firmado con la clave %[5]s\ncertificate: %[1]d tables, %[2]s cells; %[4]s; signed by key %[5]s\n",
		len(b.Tables), screen.Count(int64(c.Cells)), es, en, c.Key)
}

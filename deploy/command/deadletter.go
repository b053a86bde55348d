package command

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/deploy/command/screen"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

type deadletterCommand struct {
	List    deadletterListCommand    `cmd:"" help:"List the dead letters: origin, cause, when."`
	Show    deadletterShowCommand    `cmd:"" help:"Show one dead letter with its raw bytes."`
	Redrive deadletterRedriveCommand `cmd:"" help:"Send dead letters to their topics again."`
}

// Help is the longer text of --help.
func (deadletterCommand) Help() string {
	return helpText("A message that no consumer can understand is set aside with its cause, origin and raw bytes, and stays in the accounts as rejected. These commands look at what was set aside and send it again.",
		"retorno deadletter list --since=24h", "retorno deadletter show retorno.centre.v1/3/1204", "retorno deadletter redrive --all --code=unknown_code")
}

// since is a moment to begin at: a day, a time, or so long ago.
type since time.Time

// UnmarshalText reads 2016-06-30, an RFC 3339 time, or a duration such as 24h.
func (s *since) UnmarshalText(text []byte) error {
	if day, err := calendar.ParseDay(string(text)); err == nil {
		*s = since(day.Start())
		return nil
	}
	if at, err := time.Parse(time.RFC3339, string(text)); err == nil {
		*s = since(at)
		return nil
	}
	if ago, err := time.ParseDuration(string(text)); err == nil && ago >= 0 {
		*s = since(time.Now().Add(-ago))
		return nil
	}
	return fmt.Errorf("%q is neither a day (2016-06-30), a time (2016-06-30T08:00:00-06:00) nor so long ago (24h)", text)
}

// letterFlags choose letters.
type letterFlags struct {
	Since since  `per:"call" placeholder:"WHEN" help:"Only letters set aside since then: a day, a time (RFC 3339), or so long ago, such as 24h."`
	Code  string `per:"call" placeholder:"CODE" help:"Only letters of this reason code, such as unknown_code."`
}

// letters hands out the chosen letters, oldest first.
func (f letterFlags) letters(ctx context.Context, cfg deadletter.Config, do func(deadletter.Letter) error) error {
	return deadletter.List(ctx, cfg, time.Time(f.Since), func(l deadletter.Letter) error {
		if f.Code != "" && l.Code != f.Code {
			return nil
		}
		return do(l)
	})
}

// deadLetters is where the letters are, once it is known that the cluster answers.
func (f *kafkaFlags) deadLetters(ctx context.Context, log *slog.Logger) (deadletter.Config, error) {
	settings, err := f.producer(log, nil)
	if err != nil {
		return deadletter.Config{}, err
	}
	if err := f.checkTopics(ctx, settings); err != nil {
		return deadletter.Config{}, err
	}
	consumer, err := f.consumer(log, nil)
	return deadletter.Config{Brokers: f.Brokers, TLS: consumer.TLS, SASL: consumer.SASL, Logger: log}, err
}

// letterJSON is the JSON form of a letter. Bytes are base64.
type letterJSON struct {
	Origin string          `json:"origin"`
	Code   string          `json:"code"`
	Field  string          `json:"field,omitempty"`
	Detail string          `json:"detail"`
	At     time.Time       `json:"at"`
	Time   time.Time       `json:"time"`
	Key    []byte          `json:"key,omitempty"`
	Value  []byte          `json:"value,omitempty"`
	Event  json.RawMessage `json:"event,omitempty"`
}

func newLetterJSON(l deadletter.Letter) letterJSON {
	return letterJSON{Origin: l.Origin.String(), Code: l.Code, Field: l.Field, Detail: l.Detail, At: l.At.UTC(), Time: l.Time.UTC()}
}

type deadletterListCommand struct {
	letterFlags
	Kafka kafkaFlags `embed:"" prefix:"kafka-"`
	JSON  bool       `name:"json" per:"call" help:"One JSON object a line."`
}

// Help is the longer text of --help.
func (deadletterListCommand) Help() string {
	return helpText("Lists the messages that no consumer could understand, oldest first, each with its origin (topic/partition/offset), reason code, field and cause. Each is also in the account `rejected`, so nothing is lost.",
		"retorno deadletter list --since=24h", "retorno deadletter list --code=unknown_code --json")
}

// Run prints the letters.
func (c *deadletterListCommand) Run(ctx context.Context, t *terminal) error {
	cfg, err := c.Kafka.deadLetters(ctx, t.Log)
	if err != nil {
		return err
	}
	var n int64
	table := tabwriter.NewWriter(t.Out, 0, 4, 2, ' ', 0)
	rows := json.NewEncoder(t.Out)
	err = c.letters(ctx, cfg, func(l deadletter.Letter) error {
		n++
		if c.JSON {
			return rows.Encode(newLetterJSON(l))
		}
		if n == 1 {
			_, _ = fmt.Fprintln(table, "ORIGIN\tSET ASIDE\tCODE\tFIELD\tCAUSE") // the table keeps its error for Flush
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.Origin, l.At.UTC().Format(time.RFC3339), l.Code, orDash(l.Field), l.Detail)
		return err
	})
	if err = errors.Join(err, table.Flush()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Err, "%s dead letters\n", screen.Count(n))
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

type deadletterShowCommand struct {
	Origin string     `arg:"" placeholder:"ORIGIN" help:"Where the message came from: topic/partition/offset, as the list shows it."`
	Kafka  kafkaFlags `embed:"" prefix:"kafka-"`
	Raw    bool       `per:"call" help:"Only the message's bytes, as they came."`
	JSON   bool       `name:"json" per:"call" help:"As JSON, bytes in base64."`
}

// Help is the longer text of --help.
func (deadletterShowCommand) Help() string {
	return helpText("Shows one dead letter: origin, cause, key, the raw bytes, and the event as JSON as far as the bytes can be read as one.",
		"retorno deadletter show retorno.centre.v1/3/1204", "retorno deadletter show retorno.centre.v1/3/1204 --raw > value.bin")
}

// Run prints the letter.
func (c *deadletterShowCommand) Run(ctx context.Context, t *terminal) error {
	origin, err := deadletter.ParseOrigin(c.Origin)
	if err != nil {
		return Usage(err)
	}
	cfg, err := c.Kafka.deadLetters(ctx, t.Log)
	if err != nil {
		return err
	}
	l, err := deadletter.Show(ctx, cfg, origin)
	if errors.Is(err, deadletter.ErrNotFound) {
		return No(err)
	}
	if err != nil {
		return err
	}
	switch {
	case c.Raw:
		_, err = screen.Raw(t.Out).Write(l.Value)
		return err
	case c.JSON:
		full := newLetterJSON(l)
		full.Key, full.Value, full.Event = l.Key, l.Value, readable(l.Value)
		return json.NewEncoder(t.Out).Encode(full)
	default:
		return printLetter(t.Out, l)
	}
}

func printLetter(w io.Writer, l deadletter.Letter) error {
	var b strings.Builder
	fmt.Fprintf(&b, "origin     %s\nset aside  %s\ntime       %s\ncode       %s\nfield      %s\ncause      %s\nkey        %q\n",
		l.Origin, l.At.UTC().Format(time.RFC3339Nano), l.Time.UTC().Format(time.RFC3339Nano), l.Code, orDash(l.Field), l.Detail, l.Key)
	for _, h := range l.Headers {
		fmt.Fprintf(&b, "header     %s: %q\n", h.Key, h.Value)
	}
	if event := readable(l.Value); event != nil {
		fmt.Fprintf(&b, "event      %s\n", event)
	}
	if l.Value == nil {
		b.WriteString("value      none: a tombstone\n")
	} else {
		fmt.Fprintf(&b, "value      %d bytes\n%s", len(l.Value), hex.Dump(l.Value))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// readable is the event as JSON when the bytes are an envelope, and nil when not.
func readable(value []byte) json.RawMessage {
	opened, err := events.Open(value)
	if err != nil {
		return nil
	}
	line, err := events.MarshalJSONLine(&events.Envelope{Record: opened.Record, SentAtMs: opened.SentAtMs, ClockOffsetMs: opened.ClockOffsetMs})
	if err != nil {
		return nil
	}
	return line
}

type deadletterRedriveCommand struct {
	letterFlags
	Origins []string   `arg:"" optional:"" placeholder:"ORIGIN" help:"Letters to send again: topic/partition/offset, as the list shows them."`
	All     bool       `per:"call" help:"All letters, or all that --since and --code choose."`
	Kafka   kafkaFlags `embed:"" prefix:"kafka-"`
}

// Help is the longer text of --help.
func (deadletterRedriveCommand) Help() string {
	return helpText("Sends dead letters to their topics again, bytes and key as they were: after a consumer has learnt to read them, or when a producer put them into another partition than their key's (code misfiled). Each goes into the partition of its key by murmur2. What still cannot be counted comes back as a new letter, such as a message without its record's key; what was counted meanwhile is a duplicate and changes nothing. The letters stay; of one message that has come back, --all sends the latest.",
		"retorno deadletter redrive retorno.centre.v1/3/1204", "retorno deadletter redrive --all --code=unknown_code --since=2026-01-31")
}

// Validate asks for a choice.
func (c *deadletterRedriveCommand) Validate() error {
	if (len(c.Origins) > 0) == c.All {
		return errors.New("name the letters to send again, or say --all")
	}
	return nil
}

const redriveBatch = 500

// Run sends the chosen letters.
func (c *deadletterRedriveCommand) Run(ctx context.Context, t *terminal) error {
	wanted, err := c.wanted()
	if err != nil {
		return err
	}
	cfg, err := c.Kafka.deadLetters(ctx, t.Log)
	if err != nil {
		return err
	}
	writer, err := deadletter.New(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	history, err := deadletter.ReadHistory(ctx, cfg)
	if err != nil {
		return err
	}
	var sent, foreign int64
	var batch []deadletter.Letter
	send := func() error {
		err := writer.Redrive(ctx, batch, c.Kafka.Partitions)
		if err == nil {
			sent += int64(len(batch))
			batch = batch[:0]
		}
		return err
	}
	err = c.letters(ctx, cfg, func(l deadletter.Letter) error {
		if !c.All && !wanted[l.Origin] || c.All && !history.Latest(&l) {
			return nil
		}
		delete(wanted, l.Origin)
		if !c.ours(l.Origin) {
			foreign++
			return nil
		}
		l.First = history.First(&l)
		if batch = append(batch, l); len(batch) < redriveBatch {
			return nil
		}
		return send()
	})
	if err == nil {
		err = send()
	}
	if _, e := fmt.Fprintf(t.Out, "%s dead letters sent again\n", screen.Count(sent)); err != nil || e != nil {
		return errors.Join(err, e)
	}
	for origin := range wanted {
		return No(fmt.Errorf("%w: %s (%d of %d not found)", deadletter.ErrNotFound, origin, len(wanted), len(c.Origins)))
	}
	if foreign > 0 {
		return No(fmt.Errorf("%d letters name a place that no fact comes from, and were not sent: another program has written them", foreign))
	}
	return nil
}

// wanted are the letters named.
func (c *deadletterRedriveCommand) wanted() (map[deadletter.Origin]bool, error) {
	wanted := map[deadletter.Origin]bool{}
	for _, text := range c.Origins {
		origin, err := deadletter.ParseOrigin(text)
		if err != nil {
			return nil, Usage(err)
		}
		wanted[origin] = true
	}
	return wanted, nil
}

// ours reports whether facts come from there: what is sent again may go nowhere else.
func (c *deadletterRedriveCommand) ours(o deadletter.Origin) bool {
	return slices.Contains(factTopics, o.Topic) && o.Partition < c.Kafka.Partitions
}

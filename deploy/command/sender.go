package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"retorno/deploy/command/screen"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

const (
	sendBatch    = 5000                   // messages waiting for one acknowledgement
	maxLine      = 32 << 20               // bytes; a raw message may hold 16 MiB as base64
	sendPatience = 2 * time.Minute        // without any acknowledgement
	shownFaults  = 20                     // rejected lines named one by one; the others are only counted
	trickle      = 500 * time.Millisecond // what has arrived is sent on after so long, although more may come
)

// messageWriter is what the sender needs of a producer.Writer.
type messageWriter interface {
	Write(ctx context.Context, msgs ...producer.Message) error
}

// outbox gathers messages and writes them in order, a batch at a time.
type outbox struct {
	writer messageWriter
	clock  func() (time.Duration, bool) // this computer's clock minus the broker's
	sent   int64                        // acknowledged
	batch  []producer.Message
}

func newOutbox(w *producer.Writer) outbox { return outbox{writer: w, clock: w.ClockOffset} }

// seal is the message of an event as it is sent now.
func (o *outbox) seal(line events.Line) (events.Message, error) {
	offset, _ := o.clock() // none yet: our own clock is the best there is
	return line.Message(time.Now().Add(-offset).UnixMilli(), offset.Milliseconds())
}

func (o *outbox) put(ctx context.Context, m events.Message) error {
	o.batch = append(o.batch, producer.Message{Topic: m.Topic, Key: m.Key, Value: m.Value})
	if len(o.batch) >= sendBatch {
		return o.flush(ctx)
	}
	return nil
}

// flush writes the batch and waits for its acknowledgement.
func (o *outbox) flush(ctx context.Context) error {
	if len(o.batch) == 0 {
		return nil
	}
	patience, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	if err := o.writer.Write(patience, o.batch...); err != nil {
		if ctx.Err() == nil && !producer.IsStop(err) {
			return Missing(err)
		}
		return err
	}
	o.sent += int64(len(o.batch))
	o.batch = o.batch[:0]
	return nil
}

// sender reads lines of events and writes the sound ones in order.
type sender struct {
	outbox
	lines, rejected int64
	t               *terminal
	progress        *screen.Progress
}

// inputLine is one line as it was read, or the end of the input.
type inputLine struct {
	number int64
	text   []byte // nil when too long
	size   int64
	err    error // io.EOF at the end
}

// all sends every line until the input or ctx ends.
func (s *sender) all(ctx context.Context, in io.Reader) error {
	lines := make(chan inputLine, 256)
	go readLines(ctx, in, lines)
	idle := time.NewTimer(trickle)
	defer idle.Stop()
	var read int64
	for {
		var line inputLine
		select {
		case line = <-lines:
		case <-idle.C:
			if err := s.flush(ctx); err != nil {
				return err
			}
			idle.Reset(trickle)
			continue
		case <-ctx.Done():
			return ctx.Err()
		}
		if line.err != nil {
			if err := s.flush(ctx); err != nil || errors.Is(line.err, io.EOF) {
				return err
			}
			return fmt.Errorf("read line %d: %w", line.number, line.err)
		}
		if err := s.sendLine(ctx, line); err != nil {
			return err
		}
		read += line.size
		s.progress.Set(read)
	}
}

// sendLine judges one line and puts it into the batch, or names what is wrong with it.
func (s *sender) sendLine(ctx context.Context, line inputLine) error {
	text := bytes.TrimSpace(bytes.TrimPrefix(line.text, []byte("\ufeff")))
	if len(text) == 0 && line.text != nil {
		return nil // a blank line is nothing
	}
	s.lines++
	message, faults := s.parse(text, line.text == nil)
	if len(faults) > 0 {
		s.rejected++
		s.name(line.number, faults)
		return nil
	}
	return s.put(ctx, message)
}

func (s *sender) parse(text []byte, tooLong bool) (events.Message, []string) {
	if tooLong {
		return events.Message{}, []string{fmt.Sprintf("longer than %d bytes", maxLine)}
	}
	line, err := events.ParseLine(text)
	if err != nil {
		return events.Message{}, []string{err.Error()}
	}
	if line.Envelope != nil {
		var faults []string
		for _, f := range events.Validate(line.Envelope.GetRecord()) {
			faults = append(faults, f.String())
		}
		if len(faults) > 0 {
			return events.Message{}, faults
		}
	}
	message, err := s.seal(line)
	if err != nil {
		return events.Message{}, []string{err.Error()}
	}
	return message, nil
}

func (s *sender) name(number int64, faults []string) {
	switch {
	case s.rejected <= shownFaults:
		_, _ = fmt.Fprintf(s.t.Err, "line %d: %s\n", number, strings.Join(faults, "; "))
	case s.rejected == shownFaults+1:
		_, _ = fmt.Fprintln(s.t.Err, "further rejected lines are counted and not named")
	}
}

// readLines hands out line after line, and at last one with err set. A line beyond maxLine comes without its text.
func readLines(ctx context.Context, in io.Reader, out chan<- inputLine) {
	reader := bufio.NewReaderSize(in, 256<<10)
	for number := int64(1); ; number++ {
		line := readLine(reader)
		line.number = number
		if line.err != nil && line.size > 0 {
			// The last line need not end with a newline.
			last := line
			last.err = nil
			if !hand(ctx, out, last) {
				return
			}
			line.number++
		}
		if !hand(ctx, out, line) || line.err != nil {
			return
		}
	}
}

func hand(ctx context.Context, out chan<- inputLine, line inputLine) bool {
	select {
	case out <- line:
		return true
	case <-ctx.Done():
		return false
	}
}

func readLine(reader *bufio.Reader) inputLine {
	line := inputLine{text: []byte{}}
	for {
		part, err := reader.ReadSlice('\n')
		line.size += int64(len(part))
		if line.size > maxLine {
			line.text = nil
		} else {
			line.text = append(line.text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			line.err = err
			return line
		}
	}
}

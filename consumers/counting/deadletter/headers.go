package deadletter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"retorno/consumers/counting/stream"
)

// The headers of a letter. Those that came with the message follow with a prefix.
const (
	headerOrigin = "retorno-origin" // topic/partition/offset
	headerCode   = "retorno-code"
	headerField  = "retorno-field"
	headerDetail = "retorno-detail"
	headerAt     = "retorno-at"   // RFC 3339, UTC
	headerTime   = "retorno-time" // of the message, milliseconds since 1970
	headerKey    = "retorno-key"  // absent when the message had none
	prefixOrigin = "retorno-header-"

	// headerRedriven names, on a message sent again, where it was read first.
	headerRedriven = "retorno-redriven-from"
)

// RedrivenFrom is where a message says that it had been read first, and false for a message that says no such thing, or
// what cannot be: only another partition of its topic or an earlier offset of its own can be it. Anybody can write the
// header; whether it is true shows in the content of what was set aside there.
func RedrivenFrom(m *stream.Message) (Origin, bool) {
	return redrivenFrom(Origin{m.Topic, m.Partition, m.Offset}, m.Headers)
}

func redrivenFrom(own Origin, headers []Header) (Origin, bool) {
	for _, h := range headers {
		if h.Key == headerRedriven {
			o, err := ParseOrigin(string(h.Value))
			return o, err == nil && o.Topic == own.Topic && (o.Partition != own.Partition || o.Offset < own.Offset)
		}
	}
	return Origin{}, false
}

// maxDetail bounds the words, in bytes.
const maxDetail = 2048

// headers returns what travels beside the letter's bytes.
func (l *Letter) headers() []Header {
	detail := l.Detail
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + " …"
	}
	h := []Header{
		{Key: headerOrigin, Value: []byte(l.Origin.String())},
		{Key: headerCode, Value: []byte(l.Code)},
		{Key: headerField, Value: []byte(l.Field)},
		{Key: headerDetail, Value: []byte(detail)},
		{Key: headerAt, Value: []byte(l.At.UTC().Format(time.RFC3339Nano))},
	}
	if !l.Time.IsZero() {
		h = append(h, Header{Key: headerTime, Value: strconv.AppendInt(nil, l.Time.UnixMilli(), 10)})
	}
	if l.Key != nil {
		h = append(h, Header{Key: headerKey, Value: l.Key})
	}
	for _, o := range l.Headers {
		h = append(h, Header{Key: prefixOrigin + o.Key, Value: o.Value})
	}
	return h
}

// letter reads a letter back from the dead-letter topic.
func letter(m *stream.Message) (Letter, error) {
	l := Letter{Value: m.Value}
	found := false
	for _, h := range m.Headers {
		var err error
		switch h.Key {
		case headerOrigin:
			found = true
			l.Origin, err = ParseOrigin(string(h.Value))
		case headerCode:
			l.Code = string(h.Value)
		case headerField:
			l.Field = string(h.Value)
		case headerDetail:
			l.Detail = string(h.Value)
		case headerAt:
			l.At, err = time.Parse(time.RFC3339Nano, string(h.Value))
		case headerTime:
			var ms int64
			ms, err = strconv.ParseInt(string(h.Value), 10, 64)
			l.Time = time.UnixMilli(ms).UTC()
		case headerKey:
			l.Key = h.Value
		default:
			if name, ok := strings.CutPrefix(h.Key, prefixOrigin); ok {
				l.Headers = append(l.Headers, Header{Key: name, Value: h.Value})
			}
		}
		if err != nil {
			return Letter{}, fmt.Errorf("header %s: %w", h.Key, err)
		}
	}
	if !found {
		return Letter{}, errors.New("no header " + headerOrigin + ": not a letter of this program")
	}
	return l, nil
}

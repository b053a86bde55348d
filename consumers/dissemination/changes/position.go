package changes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// maxPosition bounds what is read of a position, in bytes. One of a half-year takes about a dozen.
const maxPosition = 8000

// span are vintages of a period with numbers that follow each other.
type span struct{ first, last uint64 }

// position is a set of vintages: those that a client was given. It is written as the names of vintages, 2016-S1/1, or of
// several that follow each other, 2016-S1/1-3, separated by commas. It does not change. "" is the set of none.
type position map[string][]span

// parsePosition reads a position. It may name vintages that do not exist, or not yet.
func parsePosition(text string) (position, error) {
	p := position{}
	if text == "" {
		return p, nil
	}
	if len(text) > maxPosition {
		return nil, fmt.Errorf("it has more than %d bytes", maxPosition)
	}
	for part := range strings.SplitSeq(text, ",") {
		period, numbers, _ := strings.Cut(part, "/")
		from, to, several := strings.Cut(numbers, "-")
		if !several {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 63)
		last, err2 := strconv.ParseUint(to, 10, 63)
		if _, wrong := calendar.ParsePeriod(period); wrong != nil || err != nil || err2 != nil || first == 0 || last < first {
			return nil, fmt.Errorf("%q is no vintage and no series of them", response.Short(part))
		}
		p[period] = append(p[period], span{first, last})
	}
	for period := range p {
		p[period] = merged(p[period])
	}
	return p, nil
}

// merged are the same numbers in order, with as few spans as can be.
func merged(all []span) (out []span) {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	for _, s := range all {
		if n := len(out); n > 0 && s.first <= out[n-1].last+1 {
			out[n-1].last = max(out[n-1].last, s.last)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (p position) has(v vintages.Vintage) bool {
	return slices.ContainsFunc(p[v.Period], func(s span) bool { return s.first <= v.Number && v.Number <= s.last })
}

// with is the set with one more.
func (p position) with(v vintages.Vintage) position {
	out := maps.Clone(p)
	out[v.Period] = merged(append(slices.Clone(p[v.Period]), span{v.Number, v.Number}))
	return out
}

// String is the one way in which the set is written.
func (p position) String() string {
	var all []string
	for _, period := range slices.Sorted(maps.Keys(p)) {
		for _, s := range p[period] {
			name := period + "/" + strconv.FormatUint(s.first, 10)
			if s.last > s.first {
				name += "-" + strconv.FormatUint(s.last, 10)
			}
			all = append(all, name)
		}
	}
	return strings.Join(all, ",")
}

// since reads where a client wants to go on: a position, or a day or moment, after which are the vintages that were published then
// or later.
func since(text string, all []vintages.Vintage) (position, error) {
	at, err := time.Parse(time.RFC3339, text)
	if day, wrong := calendar.ParseDay(text); wrong == nil {
		at, err = day.Start(), nil
	}
	if err == nil {
		p := position{}
		for _, v := range all {
			if v.Published.Before(at) {
				p = p.with(v)
			}
		}
		return p, nil
	}
	p, err := parsePosition(text)
	if err != nil {
		return nil, response.Parameter.Of(
			fmt.Sprintf("since no conoce el valor «%s»; se admite: el next o el id de una respuesta, un día o un momento.", response.Short(text)),
			fmt.Sprintf("since does not know the value %q; allowed: next or id of an answer, a day or a moment.", response.Short(text)))
	}
	return p, nil
}

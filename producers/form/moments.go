package form

import (
	"fmt"
	"strings"
	"time"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
)

// ahead is how far behind the latest moment that a form may state the computer's clock may be.
const ahead = 5 * time.Minute

// ReadMoment reads a day, a time of day or both as a clerk types them, day first: 14:30, 28/11, 28/11 14:30, 28112026, 28-nov-2026 2 pm.
// A time alone is of today, a day without a year the latest one that is not after today, a day alone its noon. Days are Honduran.
func ReadMoment(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	today := calendar.DayOfTime(now)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	if h, m, s, ok := reading.Clock(text); ok && len(text) < 6 && h < 24 {
		return today.At(h, m, s), true
	}
	date, clock := reading.SplitClock(text)
	day, ok := readDay(date, today)
	if !ok {
		return time.Time{}, false
	}
	h, m, s := 12, 0, 0
	if clock != "" {
		if h, m, s, ok = reading.Clock(clock); !ok || h == 24 {
			return time.Time{}, false
		}
	}
	return day.At(h, m, s), true
}

// readDay reads a day; without a year it is the latest that is not after today.
func readDay(text string, today calendar.Day) (calendar.Day, bool) {
	if day, ok := reading.Date(parted(text), reading.DayFirst, reading.ThisCentury); ok {
		return day, true
	}
	if day, ok := reading.Date(text, reading.DayFirst, reading.ThisCentury); ok {
		return day, true
	}
	year, _, _ := today.Civil()
	for y := year; y > year-2; y-- {
		if day, ok := reading.Date(fmt.Sprintf("%s/%d", strings.TrimSpace(text), y), reading.DayFirst, reading.ThisCentury); ok && day <= today {
			return day, true
		}
	}
	return 0, false
}

// when is the time of the event: as it is stated, that of the revision before, or now.
func (r *reader) when() time.Time {
	now := r.around.Now
	text := r.text("happened")
	switch {
	case text == "" && r.around.Before != nil:
		return time.UnixMilli(r.around.Before.GetEventTimeMs())
	case text == "":
		r.askClock(now)
		return now
	}
	t, ok := ReadMoment(text, now)
	if other, _ := ReadMoment(text, now.AddDate(0, 0, -2)); ok && !other.Equal(t) {
		r.askClock(now) // a time alone is of today, and which day that is the clock says
	}
	switch {
	case !ok:
		r.fault("happened", "bad_date", text)
		return now
	case t.After(now.Add(ahead)):
		r.fault("happened", "in_the_future", text)
		return now
	}
	return t
}

// askClock asks whether day and time are right.
func (r *reader) askClock(now time.Time) {
	if r.around.ClockInDoubt {
		r.doubt("happened", "clock", Spoken(calendar.DayOfTime(now), false)+" "+now.In(calendar.Zone()).Format("15:04"))
	}
}

var (
	monthsES = [...]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}
	monthsEN = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
)

// Spoken is a day in words: 17 sep 1981.
func Spoken(day calendar.Day, english bool) string {
	y, m, d := day.Civil()
	months := monthsES
	if english {
		months = monthsEN
	}
	return fmt.Sprintf("%d %s %d", d, months[m-1], y)
}

// ReadBack says in words how a birth date is understood: 17 sep 1981, 34 años. It is "" for a text that is no date.
func ReadBack(text string, on calendar.Day, english bool) string {
	birth, ok := ReadBirth(text, on)
	if !ok {
		return ""
	}
	years := calendar.CompletedYears(birth, on)
	switch {
	case english && years == 1:
		return Spoken(birth, true) + ", 1 year"
	case english:
		return fmt.Sprintf("%s, %d years", Spoken(birth, true), years)
	case years == 1:
		return Spoken(birth, false) + ", 1 año"
	}
	return fmt.Sprintf("%s, %d años", Spoken(birth, false), years)
}

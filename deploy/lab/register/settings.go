package register

import (
	"fmt"
	"reflect"
	"strings"
)

// Level says how much goes wrong.
type Level string

// The levels of mess. The people are the same in all three; what differs is what computers and clerks make of them.
const (
	// None: every record is made once, when it happens, and is sent once, in order.
	None Level = "none"
	// Everyday is what a border sees in an ordinary week: a few of everything.
	Everyday Level = "everyday"
	// Hard has far more of each, and poison.
	Hard Level = "hard"
)

// ParseLevel reads a level of mess.
func ParseLevel(s string) (Level, error) {
	switch l := Level(s); l {
	case None, Everyday, Hard:
		return l, nil
	}
	return "", fmt.Errorf("mess %q: expected none, everyday or hard", s)
}

// Settings decide, together with the table, every byte of a register. The zero value is seed 0 with everyday mess.
type Settings struct {
	// Seed tells registers of one table apart.
	Seed uint64
	// Mess is the level of mess; "" is Everyday.
	Mess Level
	// Rates are how often each kind of mess happens; nil are those of Mess.
	Rates *Rates
	// World holds the assumptions about people; nil is DefaultWorld.
	World *World
}

func (s Settings) withDefaults() Settings {
	if s.Mess == "" {
		s.Mess = Everyday
	}
	if s.Rates == nil {
		s.Rates = RatesOf(s.Mess)
	}
	if s.World == nil {
		s.World = DefaultWorld()
	}
	return s
}

// Validate names every setting that cannot be.
func (s Settings) Validate() error {
	var faults []string
	if _, err := ParseLevel(string(s.Mess)); err != nil {
		faults = append(faults, err.Error())
	}
	if s.Rates != nil {
		faults = append(faults, sharesOutside("rates", reflect.ValueOf(*s.Rates))...)
		if s.Rates.OutageDays < 0 || s.Rates.OutagesPerYear < 0 || s.Rates.LateDays < 0 {
			faults = append(faults, "rates: outages and days are not negative")
		}
	}
	if w := s.World; w != nil {
		faults = append(faults, sharesOutside("world", reflect.ValueOf(*w))...)
		faults = append(faults, w.faults()...)
	}
	if len(faults) > 0 {
		return fmt.Errorf("settings: %s", strings.Join(faults, "; "))
	}
	return nil
}

// sharesOutside names the plain numbers of a struct that are not between 0 and 1.
func sharesOutside(name string, v reflect.Value) []string {
	var faults []string
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Type.Kind() != reflect.Float64 || field.Tag.Get("unit") != "" {
			continue
		}
		if x := v.Field(i).Float(); !(x >= 0 && x <= 1) {
			faults = append(faults, fmt.Sprintf("%s.%s is %v; expected 0 to 1", name, field.Name, x))
		}
	}
	return faults
}

// faults names what the generator could not draw from; unknown codes are named by newDraws.
func (w *World) faults() []string {
	var faults []string
	if w.Coverage < 0.05 {
		faults = append(faults, fmt.Sprintf("world.Coverage is %v; below 0.05 the rest drowns", w.Coverage))
	}
	if w.Again > 0.9 || w.MoreHelp > 0.9 {
		faults = append(faults, "world.Again and world.MoreHelp end some time: at most 0.9")
	}
	if _, err := newDraws(w); err != nil {
		faults = append(faults, err.Error())
	}
	if n := len(w.Computers); n == 0 || len(w.CentreComputers) == 0 {
		faults = append(faults, "world.Computers and world.CentreComputers are not empty")
	}
	return faults
}

// Rates are how often each kind of mess happens. Shares are of the records (or returns, where it says so) that it can
// happen to.
type Rates struct {
	// Resend is the chance that a copy is sent again: with a later sending time, or (ResendSame of them) as it was.
	Resend, ResendSame float64
	// Disorder is the chance that a copy is held up and overtaken by what its computer recorded after it.
	Disorder float64
	// Correct is the chance that a record is first wrong and then corrected; MovesDay of the corrections move it to
	// another day, often another period, the others to another cell.
	Correct, MovesDay float64
	// Overtaken is the chance that a correction or void arrives before what it corrects.
	Overtaken float64
	// Voided is the number of records per return that should never have been made and are voided; WrongPerson of
	// them were made under another person's key before they were made again under the right one.
	Voided, WrongPerson float64
	// Reinstated is the chance that a record is voided by mistake and reinstated.
	Reinstated float64
	// Late is the chance that a record reaches its computer late (from paper), by up to LateDays days.
	Late     float64
	LateDays float64 `unit:"days"`
	// OutagesPerYear is how often a year a computer is cut off, for up to OutageDays days.
	OutagesPerYear float64 `unit:"1/year"`
	OutageDays     float64 `unit:"days"`
	// FutureMended is the chance that a record is sent by a clock that is ahead and mended by a later copy or
	// revision; FutureHeld the number of records per return that stay in the future for ever.
	FutureMended, FutureHeld float64
	// TwoCentres, NextDay, TwoPosts and Bridged are chances of a registered return: registered at two centres, on a
	// later day, seen by two posts, seen as an ordinary traveller in the middle.
	TwoCentres, NextDay, TwoPosts, Bridged float64
	// Disagree is the chance, for each attribute, that a post or a second centre says otherwise; Omit that the form
	// leaves it to them; SpelledOut that "unknown" is written out instead of left empty.
	Disagree, Omit, SpelledOut float64
	// Midnight is the chance that a return comes within minutes of midnight; Edge the share of returns in the last
	// and first minutes of the period (and as many just outside).
	Midnight, Edge float64
	// GapEdge is the chance that someone's next return comes just over 48 hours after the one before, and that a
	// second centre registers exactly 48 hours later.
	GapEdge float64
	// HelpEarly is the chance that help is given (or sent) before the registration that it names.
	HelpEarly float64
	// Conflict is the chance that a revision exists in two contents, of which the one with the larger hash holds.
	Conflict float64
	// Broken is the number of messages per record that cannot be understood.
	Broken float64
	// Lost is the chance that a bystander's record never arrives.
	Lost float64
}

// RatesOf returns the rates of a level.
func RatesOf(l Level) *Rates {
	switch l {
	case None:
		return &Rates{}
	case Hard:
		return &Rates{Resend: 0.15, ResendSame: 0.5, Disorder: 0.15, Correct: 0.12, MovesDay: 0.5, Overtaken: 0.3, Voided: 0.05,
			WrongPerson: 0.3, Reinstated: 0.03, Late: 0.06, LateDays: 45, OutagesPerYear: 12, OutageDays: 30, FutureMended: 0.03,
			FutureHeld: 0.01, TwoCentres: 0.12, NextDay: 0.25, TwoPosts: 0.06, Bridged: 0.04, Disagree: 0.08, Omit: 0.10, SpelledOut: 0.05,
			Midnight: 0.10, Edge: 0.004, GapEdge: 0.3, HelpEarly: 0.15, Conflict: 0.01, Broken: 0.01, Lost: 0.01}
	default:
		return &Rates{Resend: 0.02, ResendSame: 0.5, Disorder: 0.03, Correct: 0.02, MovesDay: 0.3, Overtaken: 0.1, Voided: 0.005,
			WrongPerson: 0.3, Reinstated: 0.002, Late: 0.01, LateDays: 21, OutagesPerYear: 3, OutageDays: 6, FutureMended: 0.003,
			FutureHeld: 0.0005, TwoCentres: 0.02, NextDay: 0.08, TwoPosts: 0.005, Bridged: 0.003, Disagree: 0.01, Omit: 0.02, SpelledOut: 0.01,
			Midnight: 0.01, Edge: 0.0005, GapEdge: 0.02, HelpEarly: 0.03, Broken: 0.0002}
	}
}

package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"retorno/schemas/calendar"
)

func TestSettingsNameTheirFaults(t *testing.T) {
	world := func(change func(*World)) Settings {
		w := DefaultWorld()
		change(w)
		return Settings{World: w}
	}
	rates := func(change func(*Rates)) Settings {
		r := RatesOf(Hard)
		change(r)
		return Settings{Rates: r}
	}
	for want, s := range map[string]Settings{
		"mess \"some\"":          {Mess: "some"},
		"rates.Resend":           rates(func(r *Rates) { r.Resend = 1.5 }),
		"rates.Lost":             rates(func(r *Rates) { r.Lost = math.NaN() }),
		"not negative":           rates(func(r *Rates) { r.OutageDays = -1 }),
		"world.Coverage":         world(func(w *World) { w.Coverage = 0 }),
		"world.Again":            world(func(w *World) { w.Again = 1 }),
		"world.Kinds: \"money\"": world(func(w *World) { w.Kinds = []Weight{{"money", 1}} }),
		"world.EntryByAir":       world(func(w *World) { w.EntryByAir = nil }),
		"world.Computers":        world(func(w *World) { w.Computers = []Weight{{"L-COR", 0}} }),
		"hour 3":                 world(func(w *World) { w.HoursByAir[3] = 0 }),
		"world.Weekdays":         world(func(w *World) { w.Weekdays[0] = 0 }),
	} {
		_, err := Make(context.Background(), devTable(t, "A04"), s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error that names %s; got %v", want, err)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	if _, err := Make(context.Background(), devTable(t, "N01"), Settings{}); err == nil {
		t.Error("a table that contradicts itself gives a register")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Make(ctx, devTable(t, "A04"), Settings{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

// TestEndsOfTime makes registers at both ends of the time that is believed, and refuses those beyond.
func TestEndsOfTime(t *testing.T) {
	for _, c := range []struct {
		first, last string
		ok          bool
	}{{"2001-01-01", "2001-01-31", true}, {"2098-12-01", "2098-12-31", true}, {"2000-12-31", "2001-12-31", false}, {"2098-01-01", "2099-01-01", false}} {
		table := devTable(t, "A04")
		first, err := calendar.ParseDay(c.first)
		if err != nil {
			t.Fatal(err)
		}
		last, err := calendar.ParseDay(c.last)
		if err != nil {
			t.Fatal(err)
		}
		table.First, table.Last = first, last
		_, err = Make(context.Background(), table, Settings{Mess: Hard})
		if (err == nil) != c.ok {
			t.Errorf("%s to %s: %v", c.first, c.last, err)
		}
		if c.ok {
			r, messages := makeAll(t, table, Settings{Mess: Hard})
			compare(t, table, r.Truth(), messages)
		}
	}
}

func TestEventsStopsWithItsCallback(t *testing.T) {
	r, _ := makeAll(t, devTable(t, "A04"), Settings{})
	stop, n := errors.New("full"), 0
	err := r.Events(func(Event) error {
		if n++; n == 10 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 10 {
		t.Errorf("after %d events: %v", n, err)
	}
}

// TestOwnRates makes a register in which only one thing goes wrong.
func TestOwnRates(t *testing.T) {
	table := devTable(t, "A04")
	for _, rates := range []Rates{{Resend: 0.5}, {Correct: 1, MovesDay: 1, Overtaken: 1}, {Reinstated: 1, Overtaken: 0.5}, {Voided: 0.9, WrongPerson: 0.5},
		{FutureMended: 1}, {TwoCentres: 1, GapEdge: 1, Omit: 0.5, Disagree: 1}, {TwoPosts: 1, Bridged: 1, Omit: 0.5, Disagree: 0.5},
		{Midnight: 1, NextDay: 1, Edge: 0.5}, {Conflict: 1}, {Lost: 0.5}, {Broken: 0.2}, {OutagesPerYear: 50, OutageDays: 40},
		{HelpEarly: 1, Late: 1, LateDays: 300}, {SpelledOut: 1, Omit: 0.5}, {FutureHeld: 0.5, Resend: 0.5}} {
		r, messages := makeAll(t, table, Settings{Seed: 11, Mess: Hard, Rates: &rates})
		compare(t, table, r.Truth(), messages)
		if t.Failed() {
			t.Fatalf("with the rates %+v", rates)
		}
	}
}

// truthFile is what a reader of --truth finds.
type truthFile struct {
	Table              string
	Seed               uint64
	Mess               string
	PeriodStart        string `json:"period_start"`
	PeriodEnd          string `json:"period_end"`
	Events             int
	Rejected           map[string]int
	RegisteredInPeriod int `json:"registered_in_period"`
	Sources            []Source
	Returns            []Return
	ReturnCounts       []struct {
		ReturnCell
		ReturnCount
	} `json:"return_counts"`
	AssistanceCounts []struct {
		HelpCell
		Helps int
	} `json:"assistance_counts"`
	CrossingCounts []struct {
		CrossingCell
		Crossings int
	} `json:"crossing_counts"`
}

func TestTruthAsJSON(t *testing.T) {
	r, _ := makeAll(t, devTable(t, "A04"), Settings{Seed: 4, Mess: Hard})
	var b bytes.Buffer
	if err := r.Truth().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got truthFile
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	truth := r.Truth()
	if got.Table != "A04" || got.Seed != 4 || got.Mess != "hard" || got.PeriodStart != "2021-01-01" || got.PeriodEnd != "2021-02-09" ||
		got.Events != truth.Events || got.RegisteredInPeriod != 3411 || len(got.Sources) != len(r.Sources()) || len(got.Rejected) != len(truth.Rejected) {
		t.Errorf("the truth begins %.300s", b.String())
	}
	cells := map[ReturnCell]ReturnCount{}
	for _, c := range got.ReturnCounts {
		cells[c.ReturnCell] = c.ReturnCount
	}
	differ(t, "cells of returns", cells, truth.ReturnCells())
	helps := map[HelpCell]int{}
	for _, c := range got.AssistanceCounts {
		helps[c.HelpCell] = c.Helps
	}
	differ(t, "cells of help", helps, truth.HelpCells())
	crossings := map[CrossingCell]int{}
	for _, c := range got.CrossingCounts {
		crossings[c.CrossingCell] = c.Crossings
	}
	differ(t, "cells of crossings", crossings, truth.CrossingCells())
	n := 0
	for ret := range truth.Returns() {
		if ret.Date != got.Returns[n].Date || ret.ReturnID != got.Returns[n].ReturnID || ret.ExitPoint != got.Returns[n].ExitPoint {
			t.Fatalf("return %d is %+v; expected %+v", n, got.Returns[n], ret)
		}
		n++
	}
	if n != len(got.Returns) {
		t.Errorf("%d returns are written of %d", len(got.Returns), n)
	}
}

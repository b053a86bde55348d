package importer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"retorno/schemas/calendar"
)

// fact is what is true of one row of a made export.
type fact struct {
	day          calendar.Day
	hour, minute int // hour -1: not stated
	sex          string
	age          int // -1: not stated
	person       int // 0: no document
	displaced    string
	nationality  string
}

// export is a made file: facts, and the way in which one office writes them.
type export struct {
	r      *rand.Rand
	facts  []fact
	date   func(calendar.Day) string // the same form in every row, as a program writes
	clock  bool
	person func(int) string
	none   string // how nothing is written
	answer map[string]string
	comma  string
}

// makeExport makes the export of one office and one period.
func makeExport(seed uint64) *export {
	r := rand.New(rand.NewPCG(seed, 1))
	e := &export{r: r, comma: pick(r, ";", ",", "\t", "|"), none: pick(r, "", "S/I", "N/I", "s.i.", "N/C", "N/D", "-", "NULL", `\N`, "(null)", "No declarado"), clock: r.IntN(2) == 0}
	year := 2015 + r.IntN(3)
	e.answer = map[string]string{"yes": pick(r, "Sí", "SI", "si", "1"), "no": pick(r, "No", "NO", "no", "0"), "": e.none}
	if e.answer["yes"] == "1" {
		e.answer["no"] = "0"
	} else if e.answer["no"] == "0" {
		e.answer["no"] = "No"
	}
	forms := []string{"02/01/2006", "2/1/2006", "01/02/2006", "1/2/2006", "2006-01-02", "02-01-2006", "2006-01-02T00:00:00.000Z", "2006-01-02T15:04:05-07:00", "Jan 2, 2006", "02.01.2006", "02/01/06", "20060102"}
	form := forms[r.IntN(len(forms)+1)%len(forms)]
	serial, zone := r.IntN(12) == 0, time.UTC
	if strings.HasSuffix(form, "-07:00") {
		zone = calendar.Zone()
	}
	e.date = func(d calendar.Day) string {
		y, m, day := d.Civil()
		if serial {
			return fmt.Sprint(int(d) + 25569)
		}
		return time.Date(y, m, day, 0, 0, 0, 0, zone).Format(form)
	}
	documents := r.IntN(4)
	e.person = func(n int) string {
		switch documents {
		case 0:
			return fmt.Sprintf("0501-19%02d-%05d", 50+n%45, n)
		case 1:
			return fmt.Sprintf("050119%02d%05d", 50+n%45, n)
		case 2:
			return fmt.Sprintf("50119%02d%05d", 50+n%45, n) // a spreadsheet ate the zero
		}
		return "5.01199E+11"
	}
	people := 1 + r.IntN(30)
	first, span := calendar.Date(year, time.January, 1)+calendar.Day(r.IntN(150)), 1+r.IntN(120)
	sexes, ages := make([]string, people+1), make([]int, people+1)
	for i := range sexes {
		sexes[i], ages[i] = pick(r, "M", "F"), r.IntN(80)
	}
	for range 1 + r.IntN(40) {
		f := fact{day: first + calendar.Day(r.IntN(span)), hour: -1, person: r.IntN(people + 1), displaced: pick(r, "yes", "no", ""), nationality: pick(r, "HN", "HN", "HN", "")}
		if e.clock {
			f.hour, f.minute = 6+r.IntN(12), r.IntN(60)
		}
		f.sex, f.age = sexes[f.person], ages[f.person]
		if f.person == 0 {
			f.sex, f.age = pick(r, "M", "F", ""), r.IntN(90)-1
		}
		e.facts = append(e.facts, f)
	}
	return e
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

// cells are a row; cell 1 is the date, 5 the document.
func (e *export) cells(f fact) []string {
	stated := func(s string) string {
		if s == "" {
			return e.none
		}
		return s
	}
	clock, age, document := e.none, "", ""
	if f.hour >= 0 {
		clock = fmt.Sprintf("%02d:%02d", f.hour, f.minute)
	}
	if f.age >= 0 {
		age = fmt.Sprint(f.age)
	}
	if f.person > 0 {
		document = e.person(f.person)
	}
	return []string{"CAMR La Lima", e.date(f.day), clock, stated(map[string]string{"M": "Hombre", "F": "Mujer"}[f.sex]), stated(age), stated(document),
		e.answer[f.displaced], stated(map[string]string{"HN": "Hondureña"}[f.nationality])}
}

var exportHead = []string{"Centro", "Fecha", "Hora", "Sexo", "Edad", "Documento", "Desplazado por violencia", "Nacionalidad"}

// text is the file, after a hand has changed cells as hands do. What is changed is true no more: honest tells of each row whether it
// still says what its fact is.
func (e *export) text(mutations []byte) (text string, honest []bool) {
	var rows [][]string
	honest = make([]bool, len(e.facts))
	for i, f := range e.facts {
		rows, honest[i] = append(rows, e.cells(f)), true
	}
	for n := 0; n+1 < len(mutations) && n < 8; n += 2 {
		i := int(mutations[n]) % len(rows)
		if len(rows[i]) < len(exportHead) {
			continue // cut already
		}
		switch row := rows[i]; mutations[n+1] % 8 {
		case 0: // day and month change places, as in a spreadsheet of another country
			y, m, d := e.facts[i].day.Civil()
			row[1] = fmt.Sprintf("%02d/%02d/%d", m, d, y)
			if e.date(e.facts[i].day) != row[1] {
				honest[i] = d > 12 // it cannot be seen where both are months
			}
		case 1: // typed by hand, the day first
			y, m, d := e.facts[i].day.Civil()
			row[1] = fmt.Sprintf("%d de %s de %d", d, strings.ToLower(spanishMonths[m]), y)
		case 2:
			row[5] = pick(e.r, "No porta", "0000000000000", "9999999999999", "1234567890123", "S/N", "XXXXX")
			honest[i] = false
		case 3:
			row[4] = pick(e.r, "99", "998", "999", "-1", "S/I", "N/S")
			honest[i] = false
		case 4:
			row[6], row[7] = pick(e.r, "S/I", "N/I", "-1", "NS", "N/E"), pick(e.r, "S/E", "N/C", "N/I", "S/R")
			honest[i] = false
		case 5:
			row[1] = strings.ToLower(e.facts[i].day.String()) + pick(e.r, "", " ", "\u00a0")
		case 6:
			rows[i] = row[:len(row)-1-int(mutations[n])%2] // cells at the end are left out
			honest[i] = false
		case 7:
			row[3] = pick(e.r, "♂", "X", "H/M", "S/I")
			honest[i] = false
		}
	}
	var b strings.Builder
	b.WriteString(strings.Join(exportHead, e.comma) + "\n")
	for _, row := range rows {
		b.WriteString(strings.Join(row, e.comma) + "\n")
	}
	if e.r.IntN(3) == 0 {
		fmt.Fprintf(&b, "Total%s%d\n", e.comma, len(rows))
	}
	text = b.String()
	if e.r.IntN(3) == 0 {
		if old, err := charmap.Windows1252.NewEncoder().String(text); err == nil {
			text = old
		}
	}
	return text, honest
}

var spanishMonths = map[time.Month]string{1: "Enero", 2: "Febrero", 3: "Marzo", 4: "Abril", 5: "Mayo", 6: "Junio", 7: "Julio", 8: "Agosto", 9: "Septiembre", 10: "Octubre", 11: "Noviembre", 12: "Diciembre"}

// aloud are the warnings with which a date may be read otherwise than it was meant.
var aloud = []string{"date_order_assumed", "date_order_borrowed", "midnight_elsewhere", "day_numbers", "seconds_since_1970", "dates_half_converted"}

// checkTruth imports a made export: what is not refused says what is true, or says nothing, or a warning says what may be wrong.
func checkTruth(t *testing.T, seed uint64, mutations []byte) (accepted int) {
	e := makeExport(seed)
	text, honest := e.text(mutations)
	got, err := importText(t, Config{Kind: KindCentre, Secret: testSecret(t)}, text)
	var refused *FileError
	if errors.As(err, &refused) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := got.sum.Accepted + got.sum.Rejected; n != len(e.facts) {
		t.Fatalf("%d rows of %d\n%s", n, len(e.facts), text)
	}
	said := false
	for _, code := range aloud {
		said = said || warned(got, code)
	}
	keys, persons := map[string]int{}, map[int]string{}
	for _, r := range got.records {
		i := int(r.SourceSeq) - 1
		f, x := e.facts[i], r.GetRegistration()
		wrong := func(what string, got, want any) {
			t.Errorf("row %d: %s is %v, the truth is %v; warnings %+v\n%s", i+1, what, got, want, fmt.Sprint(seed), text)
		}
		if day := calendar.DayOf(r.EventTimeMs); day != f.day && honest[i] && !said {
			wrong("the day", day, f.day)
		}
		if x.GetSex() != "" && x.GetSex() != f.sex && honest[i] {
			wrong("the sex", x.GetSex(), f.sex)
		}
		if x.Age != nil && int(x.GetAge()) != f.age && honest[i] {
			wrong("the age", x.GetAge(), f.age)
		}
		if x.GetNationality() != "" && x.GetNationality() != f.nationality {
			wrong("the nationality", x.GetNationality(), f.nationality)
		}
		if x.GetDisplacedByViolence() != "" && x.GetDisplacedByViolence() != f.displaced {
			wrong("the answer", x.GetDisplacedByViolence(), f.displaced)
		}
		if r.PersonKey == "" {
			continue
		}
		if other, known := keys[r.PersonKey]; known && other != f.person {
			wrong("the person", other, f.person)
		}
		if key, known := persons[f.person]; known && key != r.PersonKey {
			wrong("the key", r.PersonKey, key)
		}
		keys[r.PersonKey], persons[f.person] = f.person, r.PersonKey
	}
	return len(got.records)
}

// Made exports of every form, with the changes of many hands: no row that is taken is moved, merged or guessed in silence, and
// most files are taken.
func TestMadeExportsKeepTheirTruth(t *testing.T) {
	const seeds = 200
	taken := 0
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		mutations := make([]byte, 2*r.IntN(5))
		for i := range mutations {
			mutations[i] = byte(r.Uint32())
		}
		if checkTruth(t, seed, mutations) > 0 {
			taken++
		}
		if t.Failed() {
			t.Fatalf("seed %d, mutations %v", seed, mutations)
		}
	}
	if taken < seeds/2 {
		t.Errorf("only %d of %d files were taken", taken, seeds)
	}
}

func FuzzMadeExports(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, []byte{byte(seed), byte(seed), 3, 0})
	}
	f.Fuzz(func(t *testing.T, seed uint64, mutations []byte) { checkTruth(t, seed, mutations) })
}

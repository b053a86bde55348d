package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// crossed is a file of crossings, one for each date, under that name of the column.
func crossed(header string, dates ...string) string {
	text := "puesto;movimiento;" + header + "\n"
	for _, date := range dates {
		text += "Corinto;entrada;" + date + "\n"
	}
	return text
}

// moments imports a file of crossings and returns their times; when it is refused, the code of the refusal.
func moments(t *testing.T, cfg Config, text string) (string, result) {
	t.Helper()
	cfg.Kind = KindCheckpoint
	got, err := importText(t, cfg, text)
	var refused *FileError
	if errors.As(err, &refused) {
		if refused.ES == "" || strings.Contains(refused.ES+refused.EN, "%!") {
			t.Errorf("the words of a refusal: %s / %s", refused.ES, refused.EN)
		}
		if len(got.records) > 0 {
			t.Errorf("%d rows were sent of a file that was refused", len(got.records))
		}
		return refused.Code, got
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range got.records {
		out = append(out, strings.TrimSuffix(local(t, r.EventTimeMs)[2:], " 12:00:00"))
	}
	for _, r := range got.rejected {
		out = append(out, r[4])
	}
	if warned(got, "date_order_assumed") {
		out = append(out, "?")
	}
	return strings.Join(out, ", "), got
}

// A column of figures is read in an order that its header states or one of its cells proves; with a warning (?) the day
// first, where that brings the dates close together; else not at all.
func TestTheOrderOfDatesIsProvedOrAsked(t *testing.T) {
	for _, c := range []struct{ order, text, want string }{
		{"", crossed("fecha", "03/04/2015", "03/05/2015", "07/01/2015"), "date_order_unproved"},
		{"", crossed("fecha", "3-4-2015"), "15-04-03, ?"},
		{"", crossed("fecha", "03/04/2015 09:20"), "15-04-03 09:20:00, ?"},
		{"", crossed("fecha", "03/04/2015 09:20:00 UTC"), "15-04-03 03:20:00, ?"},
		{"", crossed("fecha", "lun 06/04/2015"), "15-04-06, ?"},
		{"", crossed("fecha", "08/05/2015", "09/05/2015", "11/05/2015"), "15-05-08, 15-05-09, 15-05-11, ?"},
		{"", crossed("fecha", "05/08/2015", "05/09/2015", "05/11/2015"), "date_order_unproved"},
		{"", crossed("fecha", "01/02/2015", "02/01/2015"), "date_order_unproved"},
		{DayFirst, crossed("fecha", "03/04/2015"), "15-04-03"},
		{MonthFirst, crossed("fecha", "03/04/2015"), "15-03-04"},
		{"", crossed("fecha", "03/04/2015", "13/04/2015"), "15-04-03, 15-04-13"},
		{"", crossed("fecha", "05/05/2015", "7/7/2015"), "15-05-05, 15-07-07"},
		{"", crossed("fecha", "2015-03-04", "2015/05/06", "3-abr-2015", "20150704"), "15-03-04, 15-05-06, 15-04-03, 15-07-04"},
		{"", crossed("fecha", "31/02/2015", "03/04/2015", "04/03/2015"), "date_order_unproved"}, // no day at all proves nothing

		{"", crossed("fecha", "13/04/2015", "04/13/2015", "05/06/2015"), "mixed_date_orders"},
		{"", crossed("fecha", "04/13/2015 10:00", "13/04/2015 10:00"), "mixed_date_orders"},
		{"", crossed("fecha", "04-30-2015", "30.04.2015"), "mixed_date_orders"},
		{DayFirst, crossed("fecha", "13/04/2015", "04/13/2015", "05/06/2015"), "15-04-13, 15-06-05, bad_date"},
		{"", crossed("fecha", "06/30/2015", "05/06/2015"), "month_first"},

		{"", crossed("fecha", "15/06/14", "16/06/14"), "two_digit_years"},
		{"", crossed("fecha", "14/06/15", "15-06-30"), "two_digit_years"},
		{"", crossed("fecha", "05/06/07"), "two_digit_years"},
		{DayFirst, crossed("fecha", "15/06/14"), "14-06-15"},
		{YearFirst, crossed("fecha", "15/06/14", "2015-06-13", "30/06/2015"), "15-06-14, 15-06-13, bad_date"},
		{MonthFirst, crossed("fecha", "06/15/14"), "14-06-15"},
		{"", crossed("fecha", "15/06/14", "30/06/2014"), "14-06-15, 14-06-30"},

		{"", crossed("fecha", "2015/30/06", "2015/05/06"), "year_then_day"},
		{DayFirst, crossed("fecha", "2015/30/06", "2015/05/06"), "15-05-06, bad_date"},
	} {
		if got, _ := moments(t, Config{DateOrder: c.order}, c.text); got != c.want {
			t.Errorf("%q with setting %q: %s, want %s", c.text, c.order, got, c.want)
		}
	}
	if got, _ := moments(t, Config{Assume: map[string]string{"date": "03/04/2015"}}, "puesto;movimiento\nCorinto;entrada\n"); got != "15-04-03, ?" {
		t.Errorf("an assumed date: %s", got)
	}
}

// What a header says of the order is a proof, and a contradiction of it is asked about.
func TestAHeaderProvesTheOrderOfDates(t *testing.T) {
	for header, want := range map[string]string{
		"Fecha (mm/dd/aaaa)": "15-03-04", "Fecha (dd/mm/yyyy)": "15-04-03", "Fecha MM-DD-YYYY": "15-03-04", "fecha [mes/día/año]": "15-03-04", "Fecha d/m/y": "15-04-03",
		"FECHA_DD_MM_AAAA": "15-04-03", "Fecha (MM.DD.YY hh:mm)": "15-03-04", "Fecha (%m/%d/%Y)": "15-03-04", "Fecha (día, mes, año)": "15-04-03, ?", "Fecha (DDMMAAAA)": "15-04-03",
		"Fecha dma": "15-04-03", "Fecha (mdy)": "15-03-04", "Fecha (mm/dd)": "15-03-04", "Fecha (aaaa/dd/mm)": "year_then_day", "Fecha (AAAA-MM-DD)": "date_order_against_header",
		"Fecha (a. m./p. m.)": "15-04-03, ?", "Fecha (día y hora)": "15-04-03, ?", "Fecha (mes y día)": "date_order_unproved",
	} {
		if got, _ := moments(t, Config{}, crossed(header, "03/04/2015")); got != want {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
	const header = "Fecha (mm/dd/aaaa)"
	if got, _ := moments(t, Config{}, crossed(header, "03/04/2015", "13/04/2015")); got != "date_order_against_header" {
		t.Errorf("cells against the header: %s", got)
	}
	got, out := moments(t, Config{DateOrder: DayFirst}, crossed(header, "03/04/2015", "13/04/2015"))
	if got != "15-04-03, 15-04-13" || !warned(out, "date_order_against_header") {
		t.Errorf("a setting against the header: %s, %+v", got, out.sum.Warnings)
	}
	if got, _ := moments(t, Config{}, crossed("Fecha (AAAA-MM-DD)", "2015-03-04")); got != "15-03-04" {
		t.Errorf("a header of ISO dates: %s", got)
	}
	if got, _ := moments(t, Config{}, crossed("Fecha (aa/mm/dd)", "15/06/14")); got != "15-06-14" {
		t.Errorf("a header with the year of two digits first: %s", got)
	}
}

func warned(got result, code string) bool {
	for _, w := range got.sum.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

// A column without a proof is read as another column of the file proves, and that is said; what proves the month first is asked about.
func TestAnotherColumnProvesTheOrderOfDates(t *testing.T) {
	file := func(rows ...string) string {
		return "puesto;movimiento;fecha;fecha de nacimiento\nCorinto;entrada;" + strings.Join(rows, "\nCorinto;entrada;") + "\n"
	}
	got, out := moments(t, Config{}, file("03/04/2015;25/12/1990"))
	if got != "15-04-03" || !warned(out, "date_order_borrowed") {
		t.Errorf("%s, %+v", got, out.sum.Warnings)
	}
	for text, want := range map[string]string{
		file("13/04/2015;25/12/1990"): "15-04-13",
		file("2015-04-03;05/06/1990"): "15-04-03, ?",
		file("03/04/2015;12/25/1990"): "month_first",
		file("13/04/2015;12/25/1990"): "month_first",
		file("03/04/2015;1990-12-25"): "15-04-03, ?",
		file("15/06/14;25/12/1990"):   "14-06-15",
		file("2015-04-03;85/06/15"):   "year_first",
		file("2015-04-03;15/06/85"):   "15-04-03",
		strings.Replace(file("03/04/2015;12/25/1990"), "nacimiento", "nacimiento (mm/dd/aaaa)", 1): "date_order_unproved",
		strings.Replace(file("13/04/2015;12/11/1990"), "nacimiento", "nacimiento (mm/dd/aaaa)", 1): "15-04-13",
	} {
		if got, _ := moments(t, Config{}, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Opened under another order, a spreadsheet takes 03/04 for the 4th of March and leaves 13/04 as text.
func TestHalfConvertedDatesAreAskedAbout(t *testing.T) {
	for name, text := range map[string]string{
		"ISO beside text":           crossed("fecha", "2015-03-04", "13/04/2015", "2015-05-04", "30/04/2015"),
		"day numbers beside text":   crossed("fecha", "42067", "13/04/2015", "42128"),
		"a month's name":            crossed("fecha", "04-mar-2015", "13/04/2015"),
		"the month first":           crossed("fecha", "2015-03-04", "04/13/2015"),
		"with times":                crossed("fecha", "2015-03-04 09:20:00", "13/04/2015 10:00"),
		"instants":                  crossed("fecha", "2015-03-04T00:00:00.000Z", "13/04/2015"),
		"under a header that knows": crossed("fecha (dd/mm/aaaa)", "2015-03-04", "13/04/2015"),
	} {
		if got, _ := moments(t, Config{}, text); got != "dates_half_converted" {
			t.Errorf("%s: %s", name, got)
		}
	}
	iso := []string{"2016-03-04", "2016-05-04", "2016-01-04", "2016-12-04", "2016-02-04", "2016-07-04", "2016-08-04", "2016-09-04"}
	text := []string{"13/04/2016", "14/04/2016", "15/04/2016", "18/04/2016", "19/04/2016", "20/04/2016", "22/04/2016", "25/04/2016", "27/04/2016", "29/04/2016"}
	for name, more := range map[string][]string{
		"one text of an early day": {"05/04/2016"}, "two of them": {"05/04/2016", "06/04/2016"}, "one ISO date of a late day": {"2016-04-28"}, "one of each": {"05/04/2016", "2016-04-28"},
		"a time of a late day": {"2016-04-28 09:20"}, "a month's name": {"28-abr-2016"}, "a day number": {"42488"},
	} {
		for _, dates := range [][]string{slices.Concat(iso, text, more), slices.Concat(more, text, iso)} {
			if got, _ := moments(t, Config{}, crossed("fecha", dates...)); got != "dates_half_converted" {
				t.Errorf("%s beside: %s", name, got)
			}
		}
	}
	for name, more := range map[string][]string{"texts": {"01/04/2016", "04/04/2016", "05/04/2016"}, "ISO dates": {"2016-04-28", "2016-04-18", "2016-04-21"}} {
		if got, _ := moments(t, Config{}, crossed("fecha", slices.Concat(iso, text, more)...)); !strings.HasPrefix(got, "16-03-04, ") {
			t.Errorf("%s of every part of the month: %s", name, got)
		}
	}
	got, out := moments(t, Config{DateOrder: DayFirst}, crossed("fecha", "2015-03-04", "13/04/2015"))
	if got != "15-03-04, 15-04-13" || !warned(out, "dates_half_converted") {
		t.Errorf("with a setting: %s, %+v", got, out.sum.Warnings)
	}
	for text, want := range map[string]string{
		crossed("fecha", "2015-03-13", "13/04/2015"):               "15-03-13, 15-04-13",
		crossed("fecha", "2015-03-04", "13/04/2015", "03/04/2015"): "15-03-04, 15-04-13, 15-04-03",
	} {
		if got, _ := moments(t, Config{}, text); got != want {
			t.Errorf("both forms, and no sign of a change: %s, want %s", got, want)
		}
	}
}

// Programs write a day as its midnight in their own zone. Only a column of nothing else is one of days.
func TestMidnightsElsewhereAreDays(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"Z":                     {crossed("fecha", "2015-07-01T00:00:00.000Z", "2015-07-02T00:00:00.000Z"), "15-07-01, 15-07-02"},
		"an offset":             {crossed("fecha", "2015-07-01T00:00:00+00:00"), "15-07-01"},
		"UTC":                   {crossed("fecha", "2015-07-01 00:00:00 UTC"), "15-07-01"},
		"another zone":          {crossed("fecha", "2015-07-01T00:00:00-05:00"), "15-07-01"},
		"JavaScript":            {crossed("fecha", "Wed Jul 01 2015 00:00:00 GMT+0000 (UTC)"), "15-07-01"},
		"seconds since 1970":    {crossed("fecha", "1435708800", "1435795200"), "15-07-01, 15-07-02"},
		"beside days":           {crossed("fecha", "2015-07-01T00:00:00Z", "2015-07-20"), "15-07-01, 15-07-20"},
		"figures":               {crossed("fecha", "01/07/2015 00:00:00 UTC", "30/07/2015"), "15-07-01, 15-07-30"},
		"with an hour beside":   {"puesto;movimiento;fecha;hora\nCorinto;entrada;2015-07-01T00:00:00Z;09:20\n", "15-07-01 09:20:00"},
		"mixed: instants":       {crossed("fecha", "2015-07-01T00:00:00Z", "2015-07-02T15:30:00Z"), "15-06-30 18:00:00, 15-07-02 09:30:00"},
		"Honduras":              {crossed("fecha", "2015-07-01T00:00:00-06:00"), "15-07-01 00:00:00"},
		"midnight of Honduras":  {crossed("fecha", "2015-07-01T06:00:00Z"), "15-07-01 00:00:00"},
		"the same, and an hour": {"puesto;movimiento;fecha;hora\nCorinto;entrada;2015-07-01T06:00:00.000Z;09:20\n", "15-07-01 09:20:00"},
	} {
		got, out := moments(t, Config{}, c.text)
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if strings.HasPrefix(c.want, "15-07-01") && !strings.Contains(name, "onduras") && !strings.Contains(name, "same") && !warned(out, "midnight_elsewhere") {
			t.Errorf("%s: no warning", name)
		}
	}
	born := "puesto;movimiento;fecha;fecha de nacimiento\nCorinto;entrada;2016-06-30;1990-06-30T00:00:00.000Z\nCorinto;entrada;2016-06-30;1990-07-01T00:00:00.000Z\n"
	_, out := moments(t, Config{}, born)
	if a, b := out.records[0].GetCrossing().GetAge(), out.records[1].GetCrossing().GetAge(); a != 26 || b != 25 {
		t.Errorf("births at midnight: %d and %d years", a, b)
	}
}

// Day numbers are counted from 1900; where they lie years before all else, the file is asked about.
func TestDayNumbersFarBeforeAllElse(t *testing.T) {
	two := func(rows ...string) string {
		return "centro;fecha;fecha de llegada\nOmoa;" + strings.Join(rows, "\nOmoa;") + "\n"
	}
	for _, c := range []struct{ numbers, text, want string }{
		{"", two("40723;", "40724;"), "11-06-29, 11-06-30"},
		{"", two("40723;2015-06-29"), "old_day_numbers"},
		{"", two("2015-06-30;40723"), "old_day_numbers"},
		{"", two("40723;29/06/2015"), "old_day_numbers"},
		{"", two("40723;", "2015-06-30;"), "old_day_numbers"},
		{"", two("40723;", "42185;"), "old_day_numbers"},
		{"1904", two("40723;2015-06-29"), "15-06-30"},
		{"1900", two("40723;2011-06-29", "42185;"), "11-06-29, 15-06-30"},
		{"", two("42185;2015-06-29", "42186.5;"), "15-06-30, 15-07-01"},
		{"", two("2011-06-29;", "42185;"), "11-06-29, 15-06-30"},
	} {
		got, err := importText(t, Config{Kind: KindCentre, DayNumbers: c.numbers}, c.text)
		text := ""
		var refused *FileError
		if errors.As(err, &refused) {
			text = refused.Code
		} else if err != nil {
			t.Fatal(err)
		}
		for i, r := range got.records {
			text += map[bool]string{true: ", "}[i > 0] + local(t, r.EventTimeMs)[2:10]
		}
		if text != c.want {
			t.Errorf("%q with %q: %s, want %s", c.text, c.numbers, text, c.want)
		}
		if err == nil && warned(got, "day_numbers") != (c.numbers == "") {
			t.Errorf("%q with %q: warnings %+v", c.text, c.numbers, got.sum.Warnings)
		}
	}
}

func TestTimesOfDay(t *testing.T) {
	column := func(times ...string) string {
		return "puesto;movimiento;fecha;hora\nCorinto;entrada;2015-06-30;" + strings.Join(times, "\nCorinto;entrada;2015-06-30;") + "\n"
	}
	for text, want := range map[string]string{
		"24:00": "15-07-01 00:00:00", "0:00": "15-06-30 00:00:00", "1430": "15-06-30 14:30:00", "930": "15-06-30 09:30:00", "14.30": "15-06-30 14:30:00", "143059": "15-06-30 14:30:59",
		"2:30 PM": "15-06-30 14:30:00", "2:30 p.m.": "15-06-30 14:30:00", "PM 2:30": "15-06-30 14:30:00", "2 pm": "15-06-30 14:00:00", "12 m": "15-06-30", "12:30 m.": "15-06-30 12:30:00",
		"12:00 AM": "15-06-30 00:00:00", "12:00 a. m.": "15-06-30 00:00:00", "mediodía": "15-06-30", "0,604166667": "15-06-30 14:30:00", "0.604166667": "15-06-30 14:30:00", ".75": "15-06-30 18:00:00",
		"0.5": "15-06-30", "0.99999999": "15-06-30 23:59:59", "14h30": "15-06-30 14:30:00", "14 h 30": "15-06-30 14:30:00", "14h": "15-06-30 14:00:00", "14:30 hrs": "15-06-30 14:30:00", "7:5": "15-06-30 07:05:00",
		"14:30:59.999": "15-06-30 14:30:59", "31/12/1899 14:30": "15-06-30 14:30:00", "1900-01-00 14:30:00": "15-06-30 14:30:00", "0/1/1900 14:30": "15-06-30 14:30:00", "2:30:00 PM -06:00": "15-06-30 14:30:00",
		"2015-06-30T20:30:00Z": "15-06-30 14:30:00", "42185.604166667": "15-06-30 14:30:00", "14.30.15": "15-06-30 14:30:15",
		"25:00": "bad_time", "24:01": "bad_time", "14": "bad_time", "14:30Z": "bad_time", "13 m": "bad_time", "14.3": "bad_time", "-5:00": "bad_time", "2:30 xm": "bad_time", "12345": "bad_time", "1475": "bad_time", "0.30": "ambiguous_time",
	} {
		if got, _ := moments(t, Config{}, column(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{column("0.30", "0.604166667"), "15-06-30 07:12:00, 15-06-30 14:30:00"},
		{column("14.30", "0.30"), "15-06-30 14:30:00, 15-06-30 00:30:00"},
		{column("14.30", "0.604166667", "0.30"), "15-06-30 14:30:00, 15-06-30 14:30:00, ambiguous_time"},
	} {
		if got, _ := moments(t, Config{}, c.text); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

// The order of the rows changes no judgement of a file.
func TestTheOrderOfRowsProvesNothing(t *testing.T) {
	dates := []string{"03/04/2015", "13/04/2015", "2015-04-20", "05/05/2015"}
	for i := range dates {
		turned := append(append([]string{}, dates[i:]...), dates[:i]...)
		_, got := moments(t, Config{}, crossed("fecha", turned...))
		if s := fmt.Sprint(got.sum.First, " ", got.sum.Last, " ", got.sum.Accepted); s != "2015-04-03 2015-05-05 4" {
			t.Errorf("%v: %s", turned, s)
		}
	}
}

func TestEmptyDatesAreNotStated(t *testing.T) {
	for _, arrival := range []string{"0000-00-00 00:00:00", "00/01/1900", "30/12/1899", "1/0/1900", "1900-01-00", "01/01/1900", "0001-01-01T00:00:00", "1899-12-30T00:00:00.000Z", "00/00/0000", "0/0/00", "31-dic-9999", "99/99/9999"} {
		got := mustImport(t, Config{Kind: KindCentre}, "centro;fecha;fecha de llegada;fecha de nacimiento\nOmoa;21/02/2015;"+arrival+";"+arrival+"\n")
		if len(got.records) != 1 {
			t.Errorf("%s: rejected: %v", arrival, got.rejected)
			continue
		}
		if x := got.records[0].GetRegistration(); x.GetArrivalTimeMs() != 0 || x.Age != nil || !warned(got, "placeholder_date") {
			t.Errorf("%s: %v, %+v", arrival, x, got.sum.Warnings)
		}
	}
	for _, date := range []string{"01/01/2000", "2000-01-01", "01/01/00", "15/06/1901"} {
		if placeholderDate(date) {
			t.Errorf("%s was taken for none", date)
		}
	}
	if got, _ := moments(t, Config{}, crossed("fecha", "0000-00-00")); got != "required" {
		t.Errorf("no date at all: %s", got)
	}
}

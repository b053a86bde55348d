package importer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// eventDays are the days and times in Honduras of the records, as 2006-01-02 15:04.
func eventDays(got result) string {
	var out []string
	for _, r := range got.records {
		out = append(out, time.UnixMilli(r.GetEventTimeMs()).In(honduras).Format("2006-01-02 15:04"))
	}
	return strings.Join(out, ", ")
}

// The only column of times belongs to the only column of dates, whatever it is called.
func TestTheOnlyTimeIsThatOfTheOnlyDate(t *testing.T) {
	for heads, want := range map[string]string{
		"Fecha de llegada;Hora":             "2014-06-30 09:15, 2014-07-01 00:00",
		"Fecha de ingreso;Hora":             "2014-06-30 09:15, 2014-07-01 00:00",
		"Fecha de registro;Hora":            "2014-06-30 09:15, 2014-07-01 00:00",
		"Fecha de registro;Hora de llegada": "2014-06-30 09:15, 2014-07-01 00:00",
	} {
		got := mustImport(t, Config{Kind: KindCentre}, "Centro;"+heads+"\nOmoa;30/06/2014;09:15\nOmoa;30/06/2014;24:00\nOmoa;30/06/2014;25:70\n")
		if eventDays(got) != want || account(got) != "2, 4 bad_time" {
			t.Errorf("%s: %s, %s", heads, eventDays(got), account(got))
		}
	}
	midnight := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Hora\nOmoa;30/06/2014;0\nOmoa;30/06/2014;0.375\nOmoa;30/06/2014;0,0\n")
	if eventDays(midnight) != "2014-06-30 00:00, 2014-06-30 09:00, 2014-06-30 00:00" {
		t.Errorf("a spreadsheet's midnight: %s, %s", eventDays(midnight), account(midnight))
	}
	both := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha de registro;Hora;Fecha de llegada\nOmoa;30/06/2014;09:15;29/06/2014\n")
	if eventDays(both) != "2014-06-30 09:15" {
		t.Errorf("two dates: %s", eventDays(both))
	}
}

// A sign after yes or no does not make an abbreviation of it.
func TestYesWithASignStaysYes(t *testing.T) {
	for cell, want := range map[string]string{"Si.": "yes", "SI.": "yes", "(si)": "yes", "SI!": "yes", "Si -": "yes", "[Si]": "yes", "• Si": "yes", "Sí.": "yes",
		"No.": "no", "S.I.": "no", "S/I": "no", "s / i": "no", "(S/I)": "no", "S/I.": "no", "*Si": "doubtful_code"} {
		text := "Fecha;Puesto;Movimiento;Retornado\n30/06/2015;Corinto;Entrada;" + cell + "\n"
		got := mustImport(t, Config{Kind: KindCheckpoint}, text)
		result := "no"
		switch {
		case got.sum.Rejected > 0:
			result = got.rejected[0][4]
		case got.records[0].GetCrossing().GetReturned():
			result = "yes"
		}
		if result != want {
			t.Errorf("%q is read as %s, want %s", cell, result, want)
		}
	}
}

// Programs write whole numbers with a point and a zero where a column has an empty cell.
func TestNumbersWithDecimalsAreTheirCodesOrNone(t *testing.T) {
	for cell, want := range map[string]string{"1.0": "HN-AT", "1,0": "HN-AT", "01.00": "HN-AT", "1.5": "unknown_code", "10.1": "unknown_code"} {
		got := mustImport(t, Config{Kind: KindCentre, DepartmentNumbers: NumbersINE}, "Centro;Fecha;Departamento\nOmoa;30/06/2015;"+cell+"\n")
		result := ""
		if got.sum.Rejected > 0 {
			result = got.rejected[0][4]
		} else {
			result = got.records[0].GetRegistration().GetDepartment()
		}
		if result != want {
			t.Errorf("department %q: %s, want %s", cell, result, want)
		}
	}
	country := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;País de retorno\nOmoa;30/06/2015;84.0\nOmoa;30/06/2015;340.0\nOmoa;30/06/2015;840.0\n")
	var codes []string
	for _, r := range country.records {
		codes = append(codes, r.GetRegistration().GetCountry())
	}
	if fmt.Sprint(codes, account(country)) != "[HN US]2, 2 unknown_code" { // Belize is 084
		t.Errorf("numbers of countries: %v, %s", codes, account(country))
	}
	town := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Departamento;Municipio\nOmoa;30/06/2015;Atlántida;10.15\n")
	if account(town) != "0, 2 unknown_municipality" {
		t.Errorf("a municipality with decimals: %s", account(town))
	}
}

// An age that is a bound is no age.
func TestAnAgeThatIsABoundIsRefused(t *testing.T) {
	for _, cell := range []string{"1e1", "0x14", "2_0", "18+", "+18", ">18", "≥18", "< 1"} {
		if got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Edad\nOmoa;30/06/2015;"+cell+"\n"); account(got) != "0, 2 bad_age" {
			t.Errorf("%s: %s", cell, account(got))
		}
	}
}

// Midnights of UTC among times to the minute are more than chance makes; among quarters of an hour they need not be.
func TestMidnightsAmongTrueTimesAreAskedAbout(t *testing.T) {
	file := func(times ...string) string { return "Centro;Fecha\nOmoa;" + strings.Join(times, "\nOmoa;") + "\n" }
	var half, quarters []string
	for i := range 20 {
		half = append(half, "2015-07-01T00:00:00.000Z", fmt.Sprintf("2015-07-01T15:%02d:11.000Z", i))
		quarters = append(quarters, fmt.Sprintf("2015-07-%02dT%02d:00:00Z", 1+i, i))
	}
	for name, times := range map[string][]string{"half": half, "two of three": {"2015-07-01T00:00:00Z", "2015-07-02T00:00:00Z", "2015-07-02T14:22:05Z"}} {
		_, err := importText(t, Config{Kind: KindCentre}, file(times...))
		var refused *FileError
		if !errors.As(err, &refused) || refused.Code != "midnights_elsewhere" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := mustImport(t, Config{Kind: KindCentre}, file(quarters...)); got.sum.Accepted != 20 {
		t.Errorf("hours: %+v", got.sum)
	}
}

// No person is registered before arriving, and nothing has happened that is yet to come.
func TestTimesThatCannotBeAreSaid(t *testing.T) {
	got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha de registro;Fecha de llegada\nOmoa;30/06/2010;01/07/2010\nOmoa;30/12/2010;30/12/2051\nOmoa;30/06/2010;29/06/2010\n")
	if account(got) != "1, 2 contradiction, 3 contradiction" {
		t.Errorf("arrivals: %s", account(got))
	}
	now := time.Date(2016, 7, 1, 12, 0, 0, 0, time.UTC)
	if got := mustImport(t, Config{Kind: KindCentre, Now: now}, "Centro;Fecha\nOmoa;30/06/2051\nOmoa;30/06/2016\n"); !warned(got, "in_the_future") || got.sum.Accepted != 2 {
		t.Errorf("the future: %+v", got.sum)
	}
	if got := mustImport(t, Config{Kind: KindCentre, Now: now}, "Centro;Fecha\nOmoa;01/07/2016\nOmoa;30/06/2016\n"); warned(got, "in_the_future") {
		t.Errorf("today: %+v", got.sum)
	}
	old := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Fecha de llegada\nOmoa;28/06/1955;28/06/1955\n")
	if account(old) != "0, 2 out_of_range" || !strings.Contains(old.rejected[0][6], "28/06/1955") || strings.Contains(old.rejected[0][6], "recorded") {
		t.Errorf("long ago: %v", old.rejected)
	}
	if got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha\nOmoa;1751274000000\n"); !warned(got, "seconds_since_1970") {
		t.Errorf("numbers of milliseconds: %+v", got.sum)
	}
}

// SAS and Stata write days and times without blanks.
func TestDatesOfStatisticiansPrograms(t *testing.T) {
	for cell, want := range map[string]string{"30JUN2015:09:20:00": "2015-06-30 09:20", "30OCT2015:09:20:00": "2015-10-30 09:20", "30jun2015 09:20:00": "2015-06-30 09:20",
		"30jun2015": "2015-06-30 12:00", "30JUN15": "2015-06-30 12:00", "1jul2015": "2015-07-01 12:00"} {
		if got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha\nOmoa;"+cell+"\n"); eventDays(got) != want {
			t.Errorf("%s: %s, %s", cell, eventDays(got), account(got))
		}
	}
	born := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Fecha de nacimiento\nOmoa;30JUN2015;01JAN1900\n")
	if account(born) != "1" || born.records[0].GetRegistration().Age != nil {
		t.Errorf("born on 01JAN1900: %s, %v", account(born), born.records)
	}
	if got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha\nOmoa;30xyz2015\nOmoa;31jun2015\nOmoa;30jun201\n"); account(got) != "0, 2 bad_date, 3 bad_date, 4 bad_date" {
		t.Errorf("no dates: %s", account(got))
	}
}

// A program writes the dates of its own in its order, and people write births in theirs.
func TestADistantOrderIsNotBorrowed(t *testing.T) {
	_, err := importText(t, Config{Kind: KindCentre}, "Centro;Fecha de nacimiento;Marca temporal\nOmoa;25/12/1980;7/1/2015\nOmoa;13/01/1990;7/2/2015\nOmoa;30/03/1985;7/3/2015\n")
	var refused *FileError
	if !errors.As(err, &refused) || refused.Code != "date_order_unproved" {
		t.Errorf("%v", err)
	}
}

// The few rows of a file of rejected rows are read in the order that the whole file had.
func TestRejectedRowsKeepTheOrderOfDates(t *testing.T) {
	got := mustImport(t, Config{Kind: KindCentre, DateOrder: MonthFirst}, "Centro;Fecha de registro;Sexo\nOmoa;07/25/2014;Hombre\nOmoa;07/01/2014;Gallo\n")
	mended := mustImport(t, Config{Kind: KindCentre}, strings.TrimSuffix(got.raw, "Gallo\n")+"Hombre\n")
	if eventDays(mended) != "2014-07-01 12:00" || warned(mended, "date_order_assumed") {
		t.Errorf("%s\n%s", eventDays(mended), got.raw)
	}
}

// A file without a header is about people: none of its cells is shown.
func TestNoCellOfARowOfDataIsShown(t *testing.T) {
	for _, text := range []string{"Juan Pérez López;0501-1990-12345;30/06/2015;Hombre;25\n", "Juan Pérez;Fecha;0501-1990-12345;Sexo\nMaría;30/06/2015;0801-1985-54321;Mujer\n"} {
		_, err := importText(t, Config{Kind: KindCentre}, text)
		var refused *FileError
		if !errors.As(err, &refused) {
			t.Errorf("%v", err)
			continue
		}
		for _, personal := range []string{"Juan", "Pérez", "1990", "12345", "30/06"} {
			if strings.Contains(refused.ES+refused.EN, personal) {
				t.Errorf("%s shows %s: %s", refused.Code, personal, refused.EN)
			}
		}
	}
}

package explain

import (
	"strings"
	"testing"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

func TestACellIsAnyPairsOfDimensions(t *testing.T) {
	for text, want := range map[string]string{
		"day=2016-03-01 route=US-AIR exit_point=L-COR": "day=2016-03-01  route=US-AIR  exit_point=L-COR",
		"month=2016-03,half_year=2016-S1, sex=F":       "month=2016-03  half_year=2016-S1  sex=F",
		"age_group=13-17":                              "age_group=13-17",
		"week=2016-W01 quarter=2016-Q1 year=2016":      "week=2016-W01  quarter=2016-Q1  year=2016",
	} {
		q, err := ParseQuery(text)
		if err != nil || fields(q.Asked) != want {
			t.Errorf("%s: %s, %v", text, fields(q.Asked), err)
		}
	}
}

func TestAWrongCellIsRefusedByName(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "at least one pair",
		"rute=US-AIR":                    `"rute" is no dimension`,
		"exit_point=Corinto":             "did you mean L-COR (Corinto)",
		"exit_point=l-cor":               "did you mean L-COR (Corinto)",
		"centre=Omoa":                    "CAMR-OMO",
		"sex=female":                     "F (",
		"sex=zzz":                        "did you mean U",
		"month=2016-S1":                  "write half_year=2016-S1",
		"day=2016-02-30":                 "is no date",
		"day=2300-01-01":                 "outside the years",
		"route=":                         "no pair",
		"US-AIR":                         "no pair",
		"sex=F sex=M":                    "said twice",
		"day=yesterday age_group=adults": "is not in the list age_group",
	} {
		_, err := ParseQuery(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, wanted %s", text, err, want)
		}
	}
	if _, err := ParseQuery("rute=1 day=x sex=Q"); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not everything that is wrong is named: %v", err)
	}
}

func TestIDsAreWholeOnes(t *testing.T) {
	for _, text := range []string{"", "01550000", "{01550000-0000-7000-8000-000000000001}", "01550000000070008000000000000001", "urn:uuid:01550000-0000-7000-8000-000000000001"} {
		if id, err := ParseID(text); err == nil {
			t.Errorf("%q is read as %s", text, id)
		}
	}
}

// TestTheCellHasWhatItsPairsSay holds each pair against a return that differs in it alone, and leaves out returns of
// other nationals.
func TestTheCellHasWhatItsPairsSay(t *testing.T) {
	q, err := ParseQuery("month=2016-03 sex=F")
	if err != nil {
		t.Fatal(err)
	}
	day := func(text string) calendar.Day {
		d, err := calendar.ParseDay(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	of := func(sex string) reconcile.Code {
		for c := range reconcile.Code(5) {
			if (&reconcile.Return{Codes: reconcile.ReturnCodes{dictionary.Sex: c}}).Attribute("sex") == sex {
				return c
			}
		}
		t.Fatalf("no sex %s", sex)
		return 0
	}
	in := reconcile.Return{Day: day("2016-03-31"), Age: -1, Codes: reconcile.ReturnCodes{dictionary.Sex: of("F")}}
	later, man, foreign := in, in, in
	later.Day, man.Codes[dictionary.Sex], foreign.Codes[dictionary.Nationality] = day("2016-04-01"), of("M"), 1
	if foreign.National() {
		foreign.Codes[dictionary.Nationality] = 2
	}
	if !q.has(&in) || q.has(&later) || q.has(&man) || q.has(&foreign) || q.has(nil) {
		t.Errorf("%v %v %v %v", q.has(&in), q.has(&later), q.has(&man), q.has(&foreign))
	}
}

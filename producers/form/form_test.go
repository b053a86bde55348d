package form

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/producers/identity"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

const id = "0190a000-0000-7000-8000-000000000001"

var now = calendar.Date(2016, 6, 30).At(5, 10, 0)

func office(t testing.TB) Office {
	t.Helper()
	old, err := identity.NewSecret("0123456789abcdef0123456789abcdef-test")
	if err != nil {
		t.Fatal(err)
	}
	later, err := identity.NewSecret("fedcba9876543210fedcba9876543210-test")
	if err != nil {
		t.Fatal(err)
	}
	return Office{Source: "L-COR-1", Place: "L-COR", Secret: func(day calendar.Day) (identity.Secret, bool) {
		if day >= calendar.Date(2016, 7, 1) {
			return later, true
		}
		return old, true
	}}
}

func bus() *Arrival {
	return &Arrival{ID: id, Means: "bus", Country: "MX", Mode: "land", ReturnType: "deported", BorderPoint: "L-COR", AtMs: now.UnixMilli()}
}

func around(t testing.TB, change ...func(*Around)) Around {
	a := Around{Office: office(t), Now: now}
	for _, c := range change {
		c(&a)
	}
	return a
}

func onBus(a *Around) { a.Arrival = bus() }

// fields reads "name=value&…"; a record id is added.
func fields(t testing.TB, text string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		t.Fatal(err)
	}
	if v.Get("record_id") == "" {
		v.Set("record_id", id)
	}
	return v
}

func codesOf(all []Finding) string {
	var out []string
	for _, f := range all {
		out = append(out, f.Field+":"+f.Code)
	}
	return strings.Join(out, " ")
}

func one(t testing.TB, r Result) *events.Record {
	t.Helper()
	if len(r.Records) != 1 || len(r.Faults)+len(r.Doubts) > 0 {
		t.Fatalf("%d records, faults %s, doubts %s", len(r.Records), codesOf(r.Faults), codesOf(r.Doubts))
	}
	return r.Records[0]
}

func TestReturnCrossing(t *testing.T) {
	r := Read(CrossingPage, fields(t, "arrival_id="+id+"&document_number=0503-1981-00123&sex=h&age=34&document_check=aut&names=Juana&surnames=Pérez&folio=COR1-000123-Z"), around(t, onBus))
	record := one(t, r)
	x := record.GetCrossing()
	if !x.Returned || x.Direction != "entry" || x.BorderPoint != "L-COR" || x.Country != "MX" || x.Mode != "land" || x.ReturnType != "deported" ||
		x.Sex != "M" || x.GetAge() != 34 || x.DocumentCheck != "genuine" || record.PersonKey != "0dbbdce83217fbbd4c5083f161be8abd" {
		t.Errorf("%v", record)
	}
	if record.EventTimeMs != now.UnixMilli() || record.Revision != 1 || record.SourceId != "L-COR-1" || r.Identity.Names != "Juana" || r.Identity.Arrival != id {
		t.Errorf("%v, %v", record, r.Identity)
	}
	for _, personal := range []string{"Juana", "Pérez", "00123"} {
		if strings.Contains(record.String(), personal) {
			t.Errorf("%s leaves with the record", personal)
		}
	}
}

func TestSlipInsteadOfADocument(t *testing.T) {
	r := Read(CrossingPage, fields(t, "arrival_id="+id+"&folio=COR1-000123-Z&sex=f&age=20&document_check=none_carried"), around(t, onBus))
	if record := one(t, r); record.PersonKey != "3033145f7935211500075537fd964560" || r.Identity.Folio != "COR1-000123-Z" {
		t.Errorf("%v %v", record, r.Identity)
	}
	centre := Read(RegistrationPage, fields(t, "document_number=cor1 000123 z&sex=f&centre=CAMR-OMO"), around(t))
	if record := one(t, centre); record.PersonKey != "3033145f7935211500075537fd964560" {
		t.Errorf("%v", record)
	}
	if r := Read(CrossingPage, fields(t, "arrival_id="+id+"&sex=f&age=20"), around(t, onBus)); one(t, r).PersonKey != "" {
		t.Error("a key without document and slip")
	}
}

// The secret in force on the arrival day makes the key, also of a registration after midnight.
func TestSecretOfTheArrivalDay(t *testing.T) {
	late := around(t, onBus)
	late.Now = calendar.Date(2016, 7, 1).At(0, 30, 0)
	before := one(t, Read(CrossingPage, fields(t, "arrival_id="+id+"&document_number=0503198100123&sex=h"), around(t, onBus)))
	after := one(t, Read(RegistrationPage, fields(t, "arrival_id="+id+"&document_number=0503198100123&sex=h&centre=CAMR-OMO"), late))
	other := one(t, Read(RegistrationPage, fields(t, "document_number=0503198100123&sex=h&centre=CAMR-OMO"), Around{Office: late.Office, Now: late.Now}))
	if before.PersonKey != after.PersonKey || other.PersonKey == after.PersonKey {
		t.Errorf("%s %s %s", before.PersonKey, after.PersonKey, other.PersonKey)
	}
}

func TestOrdinaryCrossing(t *testing.T) {
	r := one(t, Read(CrossingPage, fields(t, "direction=salida&category=salida impedida&sex=f&age=15&nationality=gua&border_point=El Florido"), around(t)))
	if x := r.GetCrossing(); x.Returned || x.Direction != "exit" || x.Category != "departure_prevented" || x.Nationality != "GT" || x.BorderPoint != "L-FLO" {
		t.Errorf("%v", x)
	}
}

func TestRegistration(t *testing.T) {
	r := one(t, Read(RegistrationPage, fields(t, "arrival_id="+id+"&document_number=0503198100123&sex=f&birth_date=17/09/81&exit_point=corinto&municipality=0801&reasons=economic&reasons=viol&intended_country=est&displaced_by_violence=si&education=3&occupation=none&centre=omoa"), around(t, onBus)))
	x := r.GetRegistration()
	if x.Municipality != "0801" || x.Department != "HN-FM" || !slices.Equal(x.Reasons, []string{"economic", "violence"}) || x.IntendedCountry != "US" ||
		x.DisplacedByViolence != "yes" || x.Education != "3" || x.Occupation != "none" || x.Centre != "CAMR-OMO" || x.GetAge() != 34 ||
		x.EntryPoint != "L-COR" || x.Country != "MX" || x.ArrivalTimeMs != now.UnixMilli() {
		t.Errorf("%v", x)
	}
}

// One form of help is a record for each person and kind, with the key of the registration; the same form gives the same ids.
func TestHelpToABus(t *testing.T) {
	people := make([]Registered, 40)
	for i := range people {
		people[i] = Registered{RecordID: DerivedID(id, "person", string(rune('a'+i))), PersonKey: strings.Repeat("0", 30) + string([]byte{'a' + byte(i%6), 'b'})}
	}
	read := func() Result {
		return Read(AssistancePage, fields(t, "arrival_id="+id+"&kind=food&kind=hyg&centre=CAMR-OMO"), around(t, onBus, func(a *Around) { a.Registered = people }))
	}
	r, again := read(), read()
	if len(r.Records) != 80 || len(r.Faults) > 0 {
		t.Fatalf("%d records, %s", len(r.Records), codesOf(r.Faults))
	}
	seen := map[string]bool{}
	for i, record := range r.Records {
		if seen[record.RecordId] || record.RecordId != again.Records[i].RecordId || record.PersonKey != people[i%40].PersonKey || record.GetAssistance().RegistrationId != people[i%40].RecordID {
			t.Fatalf("%d: %v", i, record)
		}
		seen[record.RecordId] = true
	}
	if r.Records[0].RecordId != id {
		t.Error("the form's own id is not that of its first record")
	}
}

func TestCorrectionAndVoid(t *testing.T) {
	first := one(t, Read(CrossingPage, fields(t, "arrival_id="+id+"&document_number=0503198100123&sex=h&age=34"), around(t, onBus)))
	after := around(t, onBus, func(a *Around) { a.Before, a.Now = first, now.Add(time.Hour) })
	second := one(t, Read(CrossingPage, fields(t, "revision=2&arrival_id="+id+"&document_number=0503198100123&sex=f&age=34"), after))
	if second.Revision != 2 || second.EventTimeMs != first.EventTimeMs || second.RecordedTimeMs == first.RecordedTimeMs || second.GetCrossing().Sex != "F" {
		t.Errorf("%v", second)
	}
	erased := one(t, Read(CrossingPage, fields(t, "revision=2&arrival_id="+id+"&sex=f&age=34"), after))
	if erased.PersonKey != first.PersonKey {
		t.Error("a correction without a document loses the key")
	}
	if r := Read(CrossingPage, fields(t, "revision=2&arrival_id="+id+"&document_number=0801199012345&sex=f"), after); codesOf(r.Faults) != "document_number:another_person" {
		t.Errorf("another person: %s", codesOf(r.Faults))
	}
	if r := Read(CrossingPage, fields(t, "revision=4&arrival_id="+id+"&sex=f"), after); codesOf(r.Faults) != "revision:revision_gap" {
		t.Errorf("a gap: %s", codesOf(r.Faults))
	}
	void := one(t, Read(CrossingPage, fields(t, "revision=2&void_reason=wrong_person"), after))
	if void.VoidReason != "wrong_person" || void.PersonKey != first.PersonKey || void.GetCrossing().Sex != "M" {
		t.Errorf("%v", void)
	}
	if r := Read(CrossingPage, fields(t, "void_reason=wrong_person"), around(t)); codesOf(r.Faults) != "void_reason:nothing_to_void" {
		t.Errorf("%s", codesOf(r.Faults))
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"": ":empty_form", "arrival_id=" + id + "&document_check=none_carried": ":empty_form",
		"sex=f":                                         "direction:required",
		"direction=entry&sex=m":                         "sex:ambiguous_sex",
		"direction=entry&sexo=f":                        "sexo:unknown_field",
		"direction=entry&age=130":                       "age:bad_age",
		"direction=entry&birth_date=31/02/81":           "birth_date:bad_date",
		"direction=entry&birth_date=01/07/2016":         "birth_date:born_after_event",
		"direction=entry&document_number=050319810012":  "document_number:document_length",
		"direction=entry&document_number=0000000000000": "document_number:document_dummy",
		"direction=entry&folio=COR1-000123-Y":           "folio:document_slip",
		"direction=entry&nationality=guat norte":        "nationality:unknown_code",
		"direction=entry&border_point=san":              "border_point:several_codes",
		"direction=entry&country=MX":                    "country:only_of_a_return",
		"direction=entry&happened=01/07/2016":           "happened:in_the_future",
		"direction=entry&record_id=abc":                 "record_id:invalid_id",
	} {
		r := Read(CrossingPage, fields(t, text), around(t))
		if codesOf(r.Faults) != want || len(r.Records) > 0 {
			t.Errorf("%q: %s, want %s", text, codesOf(r.Faults), want)
		}
		for _, f := range r.Faults {
			if f.ES == "" || f.EN == "" || f.ES == f.Code {
				t.Errorf("%q: no words for %s", text, f.Code)
			}
		}
	}
}

// Each doubt is asked by its name, saves nothing until it is confirmed, and is then kept.
func TestDoubts(t *testing.T) {
	arrival := "arrival_id=" + id + "&"
	for want, text := range map[string]string{
		"country:rare_country":                arrival + "sex=f&country=guam&mode=air",
		"country:implausible_route":           arrival + "sex=f&country=US&mode=land",
		"age:age_against_birth":               arrival + "age=20&birth_date=17/09/1981",
		"document_number:dni_municipality":    arrival + "document_number=9999198100123",
		"document_number:dni_year":            arrival + "document_number=0503198000123&birth_date=17/09/1981",
		"document_number:same_document_today": arrival + "document_number=0503198100124",
		"direction:exit_after_return":         "direction=exit&document_number=0503198100125",
	} {
		a := around(t, onBus)
		a.Today = func(string) bool { return strings.Contains(text, "00124") }
		a.Returned = func(string) bool { return true }
		r := Read(CrossingPage, fields(t, text), a)
		if codesOf(r.Doubts) != want || len(r.Records) > 0 || len(r.Faults) > 0 {
			t.Errorf("%s: doubts %s, faults %s", want, codesOf(r.Doubts), codesOf(r.Faults))
			continue
		}
		_, code, _ := strings.Cut(want, ":")
		r = Read(CrossingPage, fields(t, text+"&confirm="+code), a)
		one(t, r)
		if !slices.Contains(r.Identity.Confirmed, code) {
			t.Errorf("%s is not kept", code)
		}
	}
	a := around(t, onBus, func(a *Around) { a.ClockInDoubt = true })
	if r := Read(CrossingPage, fields(t, arrival+"sex=f"), a); codesOf(r.Doubts) != "happened:clock" {
		t.Errorf("clock: %s", codesOf(r.Doubts))
	}
}

func TestArrival(t *testing.T) {
	r := Read(ArrivalPage, fields(t, "means=bus&country=mex&return_type=dep&plate=AAB 1234&expected=40"), around(t))
	a := r.Arrival
	if a == nil || a.Country != "MX" || a.Mode != "land" || a.ReturnType != "deported" || a.Expected != 40 || a.Plate != "AAB 1234" || a.BorderPoint != "L-COR" || len(r.Records) > 0 {
		t.Fatalf("%v %s %s", a, codesOf(r.Faults), codesOf(r.Doubts))
	}
	if r := Read(ArrivalPage, fields(t, "means=bus"), around(t)); codesOf(r.Faults) != "country:required" {
		t.Errorf("%s", codesOf(r.Faults))
	}
}

// The bytes by which two forms are one.
func TestCanonical(t *testing.T) {
	a := Read(CrossingPage, fields(t, "direction=entry&sex=f&age= 20"), around(t)).Canonical
	b := Read(CrossingPage, fields(t, "age=20 &sex=f&direction=entry&names=&confirm=x"), around(t)).Canonical
	c := Read(CrossingPage, fields(t, "age=21&sex=f&direction=entry"), around(t)).Canonical
	if string(a) != string(b) || string(a) == string(c) {
		t.Errorf("%s %s %s", a, b, c)
	}
}

func TestDatesOnForms(t *testing.T) {
	for text, want := range map[string]string{
		"17/09/1981": "1981-09-17", "17-09-1981": "1981-09-17", "17.09.1981": "1981-09-17", "17 09 1981": "1981-09-17", "17091981": "1981-09-17",
		"170981": "1981-09-17", "17/9/81": "1981-09-17", "17-9-81": "1981-09-17", "17.9.81": "1981-09-17", "17 9 81": "1981-09-17",
		"1981-09-17": "1981-09-17", "19810917": "1981-09-17", "17 sep 1981": "1981-09-17", "17-sep-81": "1981-09-17", "17sep1981": "1981-09-17",
		"17 de septiembre de 1981": "1981-09-17", "17 de setiembre del 1981": "1981-09-17", "17 SEPT 1981": "1981-09-17", "Sep 17, 1981": "1981-09-17",
		"jueves 17 de septiembre de 1981": "1981-09-17", "02/07/1999": "1999-07-02", "020799": "1999-07-02", "30/06/16": "2016-06-30", "01/07/16": "1916-07-01",
		"300616": "2016-06-30", "29/02/00": "2000-02-29", "12101985": "1985-10-12", "010100": "2000-01-01", "1/1/1950": "1950-01-01", "7/ene/2001": "2001-01-07",
		"31/02/1981": "", "32/01/1981": "", "1981": "", "17/1981": "", "mañana": "", "00000000": "", "29/02/1999": "",
	} {
		day, ok := ReadBirth(text, calendar.Date(2016, 6, 30))
		if got := day.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s %v, want %q", text, got, ok, want)
		}
	}
	if got := ReadBack("17091981", calendar.Date(2016, 6, 30), false); got != "17 sep 1981, 34 años" {
		t.Error(got)
	}
	for text, want := range map[string]string{
		"14:30": "2016-06-30 14:30", "1430": "2016-06-30 14:30", "2 pm": "2016-06-30 14:00", "28/6": "2016-06-28 12:00", "28/06 14:30": "2016-06-28 14:30",
		"31/12": "2015-12-31 12:00", "28/06/2016 11:45 p. m.": "2016-06-28 23:45", "28062016": "2016-06-28 12:00", "280616": "2016-06-28 12:00", "2016-06-28 05:10": "2016-06-28 05:10",
	} {
		at, ok := ReadMoment(text, now)
		if got := at.In(calendar.Zone()).Format("2006-01-02 15:04"); !ok || got != want {
			t.Errorf("%q: %s %v, want %s", text, got, ok, want)
		}
	}
}

func TestChoices(t *testing.T) {
	lately := Use{Mode: "land", Lately: map[string]map[string]int{codelists.Country: {"SV": 9, "EE": 2}}}
	for _, c := range []struct {
		list, typed string
		use         Use
		first       string
		sure        bool
	}{
		{codelists.Country, "est", lately, "US", true}, {codelists.Country, "gua", lately, "GT", true}, {codelists.Country, "guam", lately, "GU", true},
		{codelists.Country, "estonia", lately, "EE", true}, {codelists.Country, "México", Use{}, "MX", true}, {codelists.Country, "MEXICO", Use{}, "MX", true},
		{codelists.Country, "me\u0301xico", Use{}, "MX", true}, {codelists.Country, "eeuu", Use{}, "US", true}, {codelists.Country, "el", lately, "SV", true},
		{codelists.Country, "co", Use{}, "CR", true}, {codelists.Country, "unidos", Use{}, "US", true}, {codelists.Country, "cote", Use{}, "CI", true},
		{codelists.Sex, "h", Use{}, "M", true}, {codelists.Sex, "f", Use{}, "F", true}, {codelists.Sex, "mu", Use{}, "F", true}, {codelists.Sex, "m", Use{}, "M", false},
		{codelists.Municipality, "teguc", Use{}, "0801", true}, {codelists.Municipality, "san pedro sula", Use{}, "0501", true},
		{codelists.BorderPoint, "ro", Use{Mode: "air"}, "A-RTB", true}, {codelists.BorderPoint, "ro", Use{Mode: "sea"}, "S-RTB", true},
	} {
		found, sure := Match(Choices(c.list, c.use), c.typed)
		if len(found) == 0 || found[0].Code != c.first || sure != c.sure {
			t.Errorf("%s %q: %v %v, want %s", c.list, c.typed, found[:min(len(found), 2)], sure, c.first)
		}
	}
	for text, want := range map[string]string{"est": "US", "gua": "GT", "guam": "GU", "GU": "GU", "usa": "US", "es": "", "zzz": "", "co": ""} {
		if code, _, _ := Resolve(codelists.Country, text, Use{}); code != want {
			t.Errorf("%q: %q, want %q", text, code, want)
		}
	}
	often := Choices(codelists.Country, lately)
	if often[0].Code != "SV" || often[len(often)-1].Code != "XX" {
		t.Errorf("%s is first and %s last", often[0].Code, often[len(often)-1].Code)
	}
}

// What a form shows of a code finds it, whatever the list.
func TestEveryLabelIsFound(t *testing.T) {
	for _, l := range codelists.Lists() {
		for _, c := range Choices(l.Name, Use{}) {
			for _, text := range []string{c.ES, c.EN, c.Code} {
				if code, near, ok := Resolve(l.Name, text, Use{}); !ok || code != c.Code {
					t.Errorf("%s %q: %q %v %v, want %s", l.Name, text, code, near, ok, c.Code)
				}
			}
		}
	}
}

// Every name of a field of events.proto that forms bear is that of the schema.
func TestFieldsHaveWords(t *testing.T) {
	for _, page := range Pages() {
		for _, f := range Fields(page) {
			if f.Input != Hidden && (f.ES == "" || f.EN == "") || (f.Input == One || f.Input == Find || f.Input == Many) && f.List != CrossingList && len(Choices(f.List, Use{})) == 0 {
				t.Errorf("%s: %v", page, f)
			}
		}
	}
}

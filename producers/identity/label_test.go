package identity

import (
	"errors"
	"testing"
)

// A label before a number is no part of it.
func TestLabelsAreNoPartOfANumber(t *testing.T) {
	want := key(t, Document{Number: "0801199012345"})
	for _, number := range []string{
		"DNI 0801199012345", "DNI0801199012345", "dni: 0801-1990-12345", "id: 0801-1990-12345.", "ID 0801 1990 12345", "D.N.I. 0801199012345", "DNI No. 0801199012345", "Identidad Nº 0801-1990-12345",
		"No. 0801199012345", "N° 0801199012345", "№ 0801199012345", "#0801199012345", "Tarjeta de Identidad 0801199012345", "0801199012345 (DNI)", "Número: 0801199012345", "*0801199012345*", "DNI 0801199012345.0",
	} {
		if got := key(t, Document{Number: number}); got != want {
			t.Errorf("%s has another key", number)
		}
		if !LikeDNI(number, "") {
			t.Errorf("%s is no DNI", number)
		}
	}
	want = key(t, Document{Country: "HN", Type: Passport, Number: "C123456"})
	for _, number := range []string{"Pasaporte C123456", "PASAPORTE: C-123456", "Pasaporte No. C123456", "passport C123456", "Pas. C123456", "PP: C123456", "Nº C123456"} {
		if got := key(t, Document{Country: "HN", Type: Passport, Number: number}); got != want {
			t.Errorf("%s has another key", number)
		}
	}
	if restored, ok := RestoreZero("DNI 801-1990-12345"); restored != "0801199012345" || !ok {
		t.Errorf("a label before 12 digits: %s, %v", restored, ok)
	}
	// The letters of a series are part of a number.
	for series, number := range map[string]string{"N 12345678": "12345678", "NO 2345678": "2345678", "ID 2345678": "2345678", "PP2345678": "2345678", "DN234567": "234567"} {
		if key(t, Document{Country: "MX", Type: Passport, Number: series}) == key(t, Document{Country: "MX", Type: Passport, Number: number + "1"}) {
			t.Errorf("%s lost its series", series)
		}
		if n, err := Normalise(Document{Country: "MX", Type: Passport, Number: series}); err != nil || n.Number != foldNumber(series) {
			t.Errorf("%s became %q, %v", series, n.Number, err)
		}
	}
}

// What people type where there is no number, and what slips in from another column, is no document of any type.
func TestWhatIsNoNumberOfADocument(t *testing.T) {
	for _, number := range []string{
		"A000000", "C0000000", "E99999", "AA1111111", "0801", "2016", "42551", "12 34", "30/06/2016", "2016-06-30", "2016-06-30T00:00:00Z", "30-06-2016 09:20", "30.6.2016", "6/30/2016", "30/06/16", "30-jun-2016",
		"30 de junio de 2016", "20160630", "30062016", "501199E11", "50119900E5", "ver acta 123", "hijo de 0801199012345", "0801199012345/0801199112345", "0801-1990-12345 y otro", "pendiente 2016",
		"madre 1234", "sin documento 0801", "080119909999999999",
	} {
		for _, kind := range []string{Other, Passport, TravelDocument} {
			for _, country := range []string{"HN", "GT"} {
				_, err := Normalise(Document{Country: country, Type: kind, Number: number})
				var fault *FaultError
				if !errors.As(err, &fault) {
					t.Errorf("%q is a %s of %s", number, kind, country)
				}
			}
		}
	}
	if _, err := Normalise(Document{Number: "0801199099999"}); err == nil {
		t.Error("a DNI with nines for a serial")
	}
	for _, number := range []string{"0801-9999-99999", "0801-1234-56789", "801-1234-56789", "9999-1234-56789", "0801999999999", "1811123456789"} {
		if !LikeDNI(number, "") || !LikeDNI(number, "HN") || LikeDNI(number, "GT") {
			t.Errorf("%s is written as a DNI", number)
		}
	}
	for _, number := range []string{"G12345678", "20163006", "31022016", "481234", "A100000", "C01X00T47", "GARC850101HDFRRN09", "02345671-8", "2345 67890 0101", "acta 123456", "E-1234/2016", "A000123"} {
		if key(t, Document{Country: "GT", Type: Other, Number: number}) == "" {
			t.Errorf("%s has no key", number)
		}
	}
}

package processor

import (
	"fmt"
	"testing"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

const ana = "00000000000000000000000000000a0a"

func at(day, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", day+" "+clock, calendar.Zone())
	if err != nil {
		panic(err)
	}
	return t
}

// id is the n-th record id of a test, made at a moment.
func id(when time.Time, n int) string {
	ms := when.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n)
}

func record(n int, when time.Time) *events.Record {
	return &events.Record{RecordId: id(when, n), Revision: 1, SourceId: "L-COR-1", SourceSeq: uint64(n), PersonKey: ana,
		EventTimeMs: when.UnixMilli(), RecordedTimeMs: when.UnixMilli(), SchemaVersion: events.SchemaVersion}
}

func crossing(n int, when time.Time, x *events.Crossing) *events.Record {
	r := record(n, when)
	r.Body = &events.Record_Crossing{Crossing: x}
	return r
}

func registration(n int, when time.Time, x *events.Registration) *events.Record {
	r := record(n, when)
	r.Body = &events.Record_Registration{Registration: x}
	return r
}

func back(point string) *events.Crossing {
	return &events.Crossing{Direction: "entry", BorderPoint: point, Returned: true, Country: "MX", Mode: "land", Sex: "F", DocumentCheck: "genuine"}
}

// TestACrossingAndItsRegistrationAreOneReturn follows one person: back by Corinto, registered at Omoa the next day,
// out again, and back a second time.
func TestACrossingAndItsRegistrationAreOneReturn(t *testing.T) {
	s := fresh(t)
	age := uint32(17)
	l := &log{step: 1}
	first := at("2016-06-30", "23:30")
	l.add(t, crossing(1, first, back("L-COR")), first)
	next := at("2016-07-01", "09:00")
	l.add(t, registration(2, next, &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Age: &age, Reasons: []string{"family", "economic"}, Department: "HN-CR"}), next)
	out := at("2016-07-01", "20:00")
	l.add(t, crossing(3, out, &events.Crossing{Direction: "exit", BorderPoint: "L-AGC"}), out)
	again := at("2016-07-02", "08:00")
	l.add(t, crossing(4, again, back("L-AGC")), again)
	help := record(5, next)
	help.Body = &events.Record_Assistance{Assistance: &events.Assistance{Centre: "CAMR-OMO", Kind: "food", RegistrationId: id(next, 2)}}
	l.add(t, help, next)

	dead := countLog(t, s, l)
	if len(dead.all) != 0 {
		t.Fatalf("dead letters: %+v", dead.all)
	}
	want := "('2016-06-30','2016-S1','MX-LAND','L-COR','L-COR','CAMR-OMO','HN-CR','F',17,'13-17',['economic','family'],1,1)\n" +
		"('2016-07-02','2016-S2','MX-LAND','L-AGC','X-UNK','X-NON','XX','F',NULL,'unknown',['unknown'],0,1)"
	got := rows(t, s, "SELECT day, half_year, route, entry_point, exit_point, centre, department, sex, age, age_group, reasons, registered, checkpoint FROM ceniss.returns")
	if got != want {
		t.Fatalf("returns:\n%s\nwant:\n%s", got, want)
	}
	if got := rows(t, s, "SELECT half_year, exit_point, registered, checkpoint, reconciled, exit_point_es FROM ceniss.return_counts"); got !=
		"('2016-S1','L-COR',1,1,1,'Corinto')\n('2016-S2','X-UNK',0,1,1,'No declarado')" {
		t.Fatalf("counts: %s", got)
	}
	if got := rows(t, s, "SELECT day, kind, sex, age_group, helps FROM ceniss.assistance_counts"); got != "('2016-07-01','food','F','13-17',1)" {
		t.Fatalf("helps: %s", got)
	}
	if got := rows(t, s, "SELECT source, highest_contiguous_seq, highest_seq, missing FROM ceniss.sources"); got != "('L-COR-1',5,5,0)" {
		t.Fatalf("sources: %s", got)
	}
	noDifference(t, s)
	before := rows(t, s, "SELECT * FROM retorno.returns FINAL")
	countLog(t, s, l) // a second assignment finds nothing to do
	if after := rows(t, s, "SELECT * FROM retorno.returns FINAL"); after != before {
		t.Fatalf("a second assignment changed the returns:\n%s\n%s", before, after)
	}
}

package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/dissemination/report"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/tables"
)

// everything is a table with every block of the vocabulary, groups, rests, prefixes and suffixes among them. Its numbers
// are no matter here.
const everything = `table_id,system,period_start,period_end,as_of,block,category,value,status,source
ALL,test,2016-01-01,2016-06-30,2016-07,total,TOTAL,1000,,
ALL,test,2016-01-01,2016-06-30,2016-07,country,US,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,country,CAM,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,country,OTHER,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,mode,air,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,mode,land,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,country_mode,US,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,country_mode,MX air,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,country_mode,CAM land,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,country_mode,OTHER,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,return_type,deported,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,entry_point,L-COR,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,entry_point,OTHER,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,exit_point,L-COR,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,exit_point_pct,L-COR,63.0,,
ALL,test,2016-01-01,2016-06-30,2016-07,centre,CAMR-OMO,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,department,HN-CR,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,department_pct,HN-CR,16.85,,
ALL,test,2016-01-01,2016-06-30,2016-07,sex,F,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,sex_age,men,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,sex_age,girls_0_20,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,age,0-10,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,age,51+,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,minors,TOTAL,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,adults,TOTAL,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,minors_sex,boys,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,accompaniment,unaccompanied,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,month,2016-02,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,US_sex_age,women,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,minors_by_country,US,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,minors_by_country,OTHER,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,reason_pct_multi,economic,92.93,,
ALL,test,2016-01-01,2016-06-30,2016-07,reason_pct_multi,violence,4.56,,
ALL,test,2016-01-01,2016-06-30,2016-07,MX_reason_pct_multi,family,15,,
ALL,test,2016-01-01,2016-06-30,2016-07,assisted_people,TOTAL,1,,
ALL,test,2016-01-01,2016-06-30,2016-07,US_assisted_people,TOTAL,1,,
`

// made is one return of the test's own, with what the tally knows of it.
type made struct {
	id, person                            uuid.UUID
	day                                   calendar.Day
	attributes                            tables.Attributes
	registered, national, deleted, helped bool
	reasons                               []string
}

// pickCode draws a code of a list, an empty one and the unknown one included.
func pickCode(r *rand.Rand, list string, likely ...string) string {
	if r.IntN(3) > 0 && len(likely) > 0 {
		return likely[r.IntN(len(likely))]
	}
	l, _ := codelists.Get(list)
	return l.At(uint16(r.IntN(l.Len())))
}

func makeReturn(r *rand.Rand) made {
	m := made{id: uuid.Must(uuid.NewV7()), person: uuid.Must(uuid.NewRandom()), registered: r.IntN(5) > 0, national: r.IntN(10) > 0, deleted: r.IntN(20) == 0}
	m.day = calendar.Date(2015, time.November, 1) + calendar.Day(r.IntN(300))
	a := &m.attributes
	a.Country, a.Mode = pickCode(r, codelists.Country, "US", "MX", "GT", "ES"), pickCode(r, codelists.Mode)
	a.ReturnType, a.EntryPoint = pickCode(r, codelists.ReturnType), pickCode(r, codelists.BorderPoint, "L-COR", "A-SAP")
	a.ExitPoint, a.Centre = pickCode(r, codelists.BorderPoint, "L-COR", "L-AGC"), pickCode(r, codelists.Centre, "CAMR-OMO", "CAMR-SPS")
	a.Department, a.Sex, a.Accompaniment = pickCode(r, codelists.Department, "HN-CR"), pickCode(r, codelists.Sex), pickCode(r, codelists.Accompaniment)
	a.Age, a.Month = r.IntN(90)-1, m.day.Month()
	if r.IntN(4) > 0 {
		for _, reason := range []string{"economic", "family", "violence"} {
			if r.IntN(2) == 0 {
				a.Reasons = append(a.Reasons, reason)
			}
		}
	}
	if m.reasons = a.Reasons; len(a.Reasons) == 0 {
		m.reasons = []string{"unknown"}
	}
	m.helped = m.registered && m.national && !m.deleted && r.IntN(3) == 0
	return m
}

// keep writes returns as the pipeline does: an older version first, a row that says it is gone last.
func keep(t *testing.T, all []made) {
	t.Helper()
	ctx := t.Context()
	for _, table := range []string{"returns", "assistance"} {
		if err := conn.Exec(ctx, "TRUNCATE TABLE retorno."+table); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []uint64{1, 2} {
		batch, err := conn.PrepareBatch(ctx, `INSERT INTO retorno.returns (return_id, version, is_deleted, person, method_version, day, arrival, route, country, mode,
			return_type, entry_point, exit_point, centre, department, municipality, sex, age, age_group, accompanied, reasons, nationality, national, registered, checkpoint, kafka_partition)`)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			a, sex := m.attributes, m.attributes.Sex
			if version == 1 {
				sex = "M" // superseded
			}
			var age *uint8
			if a.Age >= 0 {
				years := uint8(a.Age)
				age = &years
			}
			if err := batch.Append(m.id, version, bit(version == 2 && m.deleted), m.person, uint8(1), m.day.Start(), m.day.Start(), codelists.RouteOf(a.Country, a.Mode), a.Country, a.Mode,
				a.ReturnType, a.EntryPoint, a.ExitPoint, a.Centre, a.Department, "XX", sex, age, codelists.AgeGroupOf(a.Age), a.Accompaniment, m.reasons, "HN", bit(m.national), bit(m.registered), uint8(1), uint16(0)); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	helps, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.assistance (record_id, version, is_deleted, person, return_id, day, centre, kind, sex, age_group, kafka_partition)")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		for range 2 * int(bit(m.helped)) { // two helps are still one person
			if err := helps.Append(uuid.Must(uuid.NewV7()), uint64(1), uint8(0), m.person, m.id, m.day.Start(), "CAMR-OMO", "food", "M", "21-30", uint16(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := helps.Send(); err != nil {
		t.Fatal(err)
	}
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func read(t *testing.T, text []byte, id string) *tables.Table {
	t.Helper()
	table, err := tables.Read(bytes.NewReader(text), id)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// The counting in SQL gives what the plain meaning of the table gives in Go, cell for cell.
func TestCountIsTheTally(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	all := make([]made, 4000)
	for i := range all {
		all[i] = makeReturn(r)
	}
	// Days that published tables of other periods cover.
	for i := range 1500 {
		all[i].day = calendar.Date(2021, time.January, 1) + calendar.Day(r.IntN(60))
		all[i].attributes.Month = all[i].day.Month()
	}
	keep(t, all)
	for _, table := range []*tables.Table{read(t, []byte(everything), "ALL"), read(t, tables.Dev(), "A04"), read(t, tables.Dev(), "A14"), read(t, tables.Dev(), "N01"), read(t, tables.Dev(), "S01")} {
		tally := tables.NewTally(table)
		for _, m := range all {
			if m.registered && m.national && !m.deleted && table.First <= m.day && m.day <= table.Last {
				tally.Add(&m.attributes, m.helped)
			}
		}
		counted, err := report.Count(t.Context(), conn, table)
		if err != nil {
			t.Fatal(err)
		}
		zero := 0
		for i, c := range table.Cells() {
			numerator, base := tally.Count(i)
			if counted.Numerators[i] != numerator || counted.Bases[i] != base {
				t.Errorf("%s line %d %s %s: counted %d of %d, want %d of %d", table.ID, c.Line, c.Block, c.Category, counted.Numerators[i], counted.Bases[i], numerator, base)
			}
			zero += int(bit(numerator == 0))
		}
		if zero > len(counted.Numerators)/2 {
			t.Errorf("%s: %d of %d cells are zero, which proves nothing", table.ID, zero, len(counted.Numerators))
		}
		if !slices.Equal(counted.Values(), tally.Values()) || len(counted.Differences()) != len(tally.Differences()) {
			t.Errorf("%s: values or differences are not those of the tally", table.ID)
		}
	}
}

func TestWriteKeepsTheForm(t *testing.T) {
	keep(t, nil)
	table := read(t, tables.Dev(), "A14")
	counted, err := report.Count(t.Context(), conn, table)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := counted.Write(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != len(table.Cells())+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		if row[0] != "A14" || row[7] != "0" {
			t.Errorf("%v: no return was stored", row)
		}
	}
}

func TestCountNamesTheTableItCouldNotCount(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := report.Count(ctx, conn, read(t, tables.Dev(), "A02")); err == nil || !strings.Contains(err.Error(), "A02") {
		t.Errorf("%v", err)
	}
}

func TestHalfYear(t *testing.T) {
	ctx := t.Context()
	if err := conn.Exec(ctx, `INSERT INTO retorno.return_counts (day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
		country, mode, registered, checkpoint, reconciled, version, is_deleted) VALUES
	('2016-01-01','MX-LAND','deported','L-COR','L-COR','CAMR-OMO','M','18-20',0,'MX','land',17064,16000,21000,1,0),
	('2016-06-30','US-AIR','deported','A-SAP','X-UNK','CAMR-SPS','F','21-30',0,'US','air',10021,9000,12867,1,0),
	('2016-06-30','BZ-SEA','deported','S-PCR','A-SAP','CAMR-SPS','F','21-30',0,'BZ','sea',1,0,1,1,0),
	('2016-07-01','US-AIR','deported','A-SAP','L-COR','CAMR-SPS','M','21-30',0,'US','air',300,300,300,1,0)`); err != nil {
		t.Fatal(err)
	}
	period, err := calendar.ParsePeriod("2016-S1")
	if err != nil {
		t.Fatal(err)
	}
	h, err := report.CountHalfYear(ctx, conn, period)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{"es": `Retornos registrados, primer semestre de 2016 (2016-01-01 a 2016-06-30), contados ahora en ClickHouse, exactos
                                                        retornos      %
Total registrado                                          27,086  100.0
Por ruta (país de retorno y vía)
  MX-LAND  México, por tierra                             17,064   63.0
  US-AIR   Estados Unidos, por aire                       10,021   37.0
  BZ-SEA   Belice, por mar                                     1    0.0
Por punto por donde salieron de Honduras
  L-COR    Corinto                                        17,064   63.0
  A-SAP    Aeropuerto Internacional Ramón Villeda Mor…         1    0.0
  X-UNK    No declarado                                   10,021   37.0
Base de los porcentajes: 27,086 retornos registrados, incluidos los no declarados.
Cobertura: 27,086 registrados de 33,868 retornos conocidos (80.0 %).
`, "en": `Registered returns, first half of 2016 (2016-01-01 to 2016-06-30), counted now in ClickHouse, exact
                                                         returns      %
Registered in total                                       27,086  100.0
By route (country of return and mode)
  MX-LAND  Mexico, by land                                17,064   63.0
  US-AIR   United States, by air                          10,021   37.0
  BZ-SEA   Belize, by sea                                      1    0.0
By point where they left Honduras
  L-COR    Corinto                                        17,064   63.0
  A-SAP    Ramón Villeda Morales International Airpor…         1    0.0
  X-UNK    Not stated                                     10,021   37.0
Base of the percentages: 27,086 registered returns, those not stated included.
Coverage: 27,086 registered of 33,868 known returns (80.0%).
`} {
		var b strings.Builder
		if err := h.Text(&b, lang); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%s:\n%s\nwant\n%s", lang, b.String(), want)
		}
	}
	if err := h.Text(&strings.Builder{}, "fr"); err == nil || !strings.Contains(err.Error(), "fr") {
		t.Errorf("French: %v", err)
	}
	empty, err := report.CountHalfYear(ctx, conn, calendar.Period{First: 0, Last: 9})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := empty.Text(&b, "en"); err != nil || !strings.Contains(b.String(), "There are no registered returns") {
		t.Errorf("nothing: %v %s", err, b.String())
	}
}

// BenchmarkCount counts a table of 18 cells over 491,000 returns.
func BenchmarkCount(b *testing.B) {
	ctx := b.Context()
	for _, statement := range []string{"TRUNCATE TABLE retorno.returns", fmt.Sprintf(`INSERT INTO retorno.returns (return_id, version, is_deleted, person, method_version, day, arrival, route, country, mode,
		return_type, entry_point, exit_point, centre, department, municipality, sex, age, age_group, accompanied, reasons, nationality, national, registered, checkpoint, kafka_partition)
	SELECT generateUUIDv7(number), 1, 0, generateUUIDv4(number), 1, toDate('2018-01-01') + number %% 2900, now64(), 'US-AIR', ['US','MX','GT','ES'][cityHash64(number) %% 4 + 1], 'air',
		'deported', 'A-SAP', 'L-COR', 'CAMR-SPS', 'HN-CR', '0501', if(number %% 3 = 0, 'F', 'M'), number %% 80, '21-30', 'unknown', ['economic'], 'HN', 1, 1, 1, 0 FROM numbers(%d)`, 491_000)} {
		if err := conn.Exec(ctx, statement); err != nil {
			b.Fatal(err)
		}
	}
	table, err := tables.Read(bytes.NewReader(tables.Dev()), "A02")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		counted, err := report.Count(ctx, conn, table)
		if err != nil {
			b.Fatal(err)
		}
		if counted.Numerators[0] == 0 {
			b.Fatal("nothing was counted")
		}
	}
}

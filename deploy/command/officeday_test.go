package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/deploy/command/screen"
)

// officeRow is what an export's row says, and whether it can be understood.
type officeRow struct {
	day, age     int
	sex, point   string
	document     int // 0: none
	municipality string
}

func (r officeRow) good() bool { return r.municipality == "San Pedro Sula" }

// identity is the number of the row's document, "" without one.
func (r officeRow) identity() string {
	if r.document == 0 {
		return ""
	}
	return fmt.Sprintf("0501-19%02d-%05d", 99-r.age, r.document)
}

// text is the row, in one of the spellings in which people type.
func (r officeRow) text(spelling int) string {
	date := []string{"%02d/06/2016", "%d-jun-2016", "2016-06-%02d"}[spelling%3]
	point := []string{r.point, strings.ToUpper(r.point), " " + r.point + " "}[spelling/3%3]
	return fmt.Sprintf("CAMR La Lima;"+date+";%02d:%02d;%s;%d;Cortés;%s;%s;Estados Unidos;Aéreo;%s\n", r.day, 6+r.document%12, r.age%60, r.sex, r.age, r.municipality, point, r.identity())
}

// office is an export that is corrected, and what it says.
type office struct {
	random *rand.Rand
	rows   []officeRow
}

func newOffice(seed uint64, rows int) *office {
	o := &office{random: rand.New(rand.NewPCG(seed, seed))}
	for range rows {
		r := officeRow{day: 1 + o.random.IntN(30), age: 18 + o.random.IntN(40), sex: []string{"Hombre", "Mujer"}[o.random.IntN(2)],
			point: []string{"Corinto", "El Florido", "Agua Caliente"}[o.random.IntN(3)], municipality: "San Pedro Sula"}
		if o.random.IntN(2) == 0 {
			r.document = 1 + len(o.rows)
		}
		if o.random.IntN(40) == 0 {
			r.municipality = "San Perdo Sula"
		}
		o.rows = append(o.rows, r)
	}
	return o
}

// once are the good rows whose document no other one has.
func (o *office) once() map[string]officeRow {
	out, twice := map[string]officeRow{}, map[string]bool{"": true}
	for _, r := range o.rows {
		if _, there := out[r.identity()]; there {
			twice[r.identity()] = true
		}
		if r.good() {
			out[r.identity()] = r
		}
	}
	maps.DeleteFunc(out, func(document string, _ officeRow) bool { return twice[document] })
	return out
}

// correct mends and changes cells, takes rows out, adds some, and sorts the file otherwise. It returns how many rows changed that
// counted before and that their document tells from all others.
func (o *office) correct() (changed int) {
	before := o.once()
	o.rows = slices.DeleteFunc(o.rows, func(officeRow) bool { return o.random.IntN(50) == 0 })
	for i := range o.rows {
		switch r := &o.rows[i]; o.random.IntN(20) {
		case 0:
			r.point = "Corinto"
		case 1:
			r.day = 1 + o.random.IntN(30)
		case 2, 3, 4, 5:
			r.municipality = "San Pedro Sula"
		}
	}
	added := newOffice(o.random.Uint64(), 20)
	o.rows = append(o.rows, added.rows...)
	o.random.Shuffle(len(o.rows), func(i, j int) { o.rows[i], o.rows[j] = o.rows[j], o.rows[i] })
	for document, r := range o.once() {
		if was, counted := before[document]; counted && was != r {
			changed++
		}
	}
	return changed
}

// text is the file, with what surrounds data in such files.
func (o *office) text() string {
	var b strings.Builder
	head := strings.TrimSuffix(centreHead, "\n")
	b.WriteString("Registro de retornados;;;;;;;;;;\n" + head + "\n")
	for i, r := range o.rows {
		b.WriteString(r.text(o.random.IntN(9)))
		switch i % 400 {
		case 200:
			b.WriteString(head + "\n")
		case 300:
			b.WriteString(";;;;;;;;;;\n")
		}
	}
	fmt.Fprintf(&b, "Total: %d;;;;;;;;;;\n", len(o.rows))
	return b.String()
}

// want is the number of registered returns by half-month, exit point and sex.
func (o *office) want() map[string]uint64 {
	codes := map[string]string{"Corinto": "L-COR", "El Florido": "L-FLO", "Agua Caliente": "L-AGC"}
	sexes := map[string]string{"Hombre": "M", "Mujer": "F"}
	out := map[string]uint64{}
	for _, r := range o.rows {
		if r.good() {
			out[fmt.Sprintf("%d %s %s", (r.day-1)/15, codes[r.point], sexes[r.sex])]++
		}
	}
	return out
}

func (o *office) rejected() (n int) {
	for _, r := range o.rows {
		if !r.good() {
			n++
		}
	}
	return n
}

// TestAnOfficesDay checks an export of 2,000 rows, imports it, corrects it in the file, imports it in the place of the first, and
// takes it back. Rows that were corrected are revisions. After each step ClickHouse counts what the file then says, and no number of its source is missing but
// those of rejected rows.
func TestAnOfficesDay(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	i, o := newImporting(t), newOffice(seed, 2000)
	s, _ := migratedStore(t)
	flags := kafkaFlags{Brokers: []string{i.broker.Addr()}, Partitions: 3}
	producerWithTopics(t, flags)
	consume(t, flags, s)
	path := filepath.Join(t.TempDir(), "june.csv")
	save := func() {
		if err := os.WriteFile(path, []byte(o.text()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save()
	i.named(path, "--check").said(t, exitNo, fmt.Sprintf("%s acceptable, %d rejected", screen.Count(int64(len(o.rows)-o.rejected())), o.rejected()), "date order of Fecha de registro: dmy")
	i.counts(s, "check", nil, 0)
	i.named(path).said(t, exitNo, "not imported before")
	i.counts(s, "import", o.want(), o.rejected())
	name := source(t, i)
	for step := range 2 {
		changed := o.correct()
		save()
		i.named(path).said(t, exitNo, "--replace="+name)
		r := i.named(path, "--replace="+name, "--json")
		var did importResult
		if err := json.Unmarshal([]byte(r.out), &did); err != nil || did.Changes.Revised < changed || did.Changes.Revised > changed+changed/10 {
			t.Errorf("correction %d: %d revisions, and %d rows changed whose documents tell whose they are; %v", step, did.Changes.Revised, changed, err)
		}
		if want := map[bool]int{true: exitNo, false: exitDone}[o.rejected() > 0]; r.status != want {
			t.Errorf("%+v", r)
		}
		i.counts(s, fmt.Sprintf("correction %d", step), o.want(), o.rejected())
	}
	r := try(t, "", nil, slices.Concat([]string{"import", "void", name}, i.args)...)
	r.said(t, exitDone, "records voided")
	i.counts(s, "void", nil, 0)
}

// counts waits until everything in the logs is counted, and compares what ClickHouse says with what it should.
func (i *importing) counts(s *store.Store, step string, want map[string]uint64, missing int) {
	i.t.Helper()
	awaitRead(i.t, s, i.records())
	rows, err := s.Conn().Query(i.t.Context(), `SELECT toString(intDiv(toDayOfMonth(day) - 1, 15)), exit_point, sex, sum(registered)
		FROM ceniss.return_counts GROUP BY 1, 2, 3 HAVING sum(registered) != 0`)
	if err != nil {
		i.t.Fatal(err)
	}
	got := map[string]uint64{}
	for rows.Next() {
		var half, point, sex string
		var n uint64
		if err := rows.Scan(&half, &point, &sex, &n); err != nil {
			i.t.Fatal(err)
		}
		got[half+" "+point+" "+sex] = n
	}
	if err := rows.Err(); err != nil {
		i.t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		i.t.Errorf("%s: counted %v, the file says %v", step, got, want)
	}
	var ghosts uint64
	if err := s.Conn().QueryRow(i.t.Context(), `SELECT sum(missing) FROM ceniss.sources`).Scan(&ghosts); err != nil {
		i.t.Fatal(err)
	}
	if ghosts > uint64(missing) {
		i.t.Errorf("%s: %d numbers are missing, %d rows are rejected", step, ghosts, missing)
	}
	found, err := verify.Once(i.t.Context(), s.Conn())
	if err != nil || found.Different() > 0 {
		i.t.Errorf("%s: the second count: %+v, %v", step, found, err)
	}
}

// records is how many messages the logs of registrations hold.
func (i *importing) records() (n uint64) {
	i.t.Helper()
	for partition := range 3 {
		log, err := (&kafkaFlags{Brokers: []string{i.broker.Addr()}, RequestTimeout: patience}).openLog("retorno.centre.v1", partition)
		if err != nil {
			i.t.Fatal(err)
		}
		_, end, err := log.Bounds(i.t.Context())
		log.Close()
		if err != nil {
			i.t.Fatal(err)
		}
		n += uint64(end)
	}
	return n
}

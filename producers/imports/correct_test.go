package imports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"retorno/producers/identity"
	"retorno/producers/importer"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// people is an export of registrations; rows as registered makes them.
type people []string

const peopleHead = "Centro;Fecha de registro;Hora;Sexo;Edad;Departamento;Municipio;Punto de salida;País de retorno;Vía;Identidad\n"

// registered is a row of a person, by the number of the document; 0: none.
func registered(document, day, age int, point string) string {
	dni := ""
	if document > 0 {
		dni = fmt.Sprintf("0501-19%02d-%05d", 99-age%60, document)
	}
	return fmt.Sprintf("CAMR La Lima;%02d/05/2015;09:%02d;Hombre;%d;Cortés;San Pedro Sula;%s;Estados Unidos;Aéreo;%s\n", day, (document+age)%60, age, point, dni)
}

func (p people) text() string { return peopleHead + strings.Join(p, "") }

func (c *cluster) secret() identity.Secret {
	c.t.Helper()
	s, err := identity.NewSecret("the agents of all posts share this secret, which is long")
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// importPeople imports an export, in the place of an earlier one where that is named, and tells what changed.
func (c *cluster) importPeople(p people, o Options, source string) (Changes, error) {
	c.t.Helper()
	f := c.readWith(p.text(), importer.Config{Kind: importer.KindCentre, Source: source, Secret: c.secret()})
	plan, err := Make(c.t.Context(), c.cluster(), f, o)
	if err != nil {
		return Changes{}, err
	}
	return plan.Changes, plan.Send(c.t.Context(), c.outbox())
}

// latest are the records as they stand, by id. No revision may have another person key or kind than the one before.
func (c *cluster) latest() map[string]*events.Record {
	c.t.Helper()
	out := map[string]*events.Record{}
	for name, values := range c.logs {
		if strings.HasPrefix(name, producer.TopicImports) {
			continue
		}
		for _, v := range values {
			o, err := events.Open(v)
			if err != nil {
				c.t.Fatal(err)
			}
			r := o.Record
			held := out[r.GetRecordId()]
			if held != nil && (held.GetPersonKey() != r.GetPersonKey() || kindOf(held) != kindOf(r)) {
				c.t.Errorf("a revision is of another person or kind:\n%v\n%v", held, r)
			}
			if held == nil || held.GetRevision() < r.GetRevision() {
				out[r.GetRecordId()] = r
			}
		}
	}
	return out
}

// shows tells the records as they stand: age, exit point, revision, and whether it is void.
func (c *cluster) shows() (out []string) {
	for _, r := range c.latest() {
		text := fmt.Sprintf("%d %s r%d", r.GetRegistration().GetAge(), strings.TrimPrefix(r.GetRegistration().GetExitPoint(), "L-"), r.GetRevision())
		if r.GetVoidReason() != "" {
			text += " void"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// A corrected row is the next revision of its record where it is sure whose row it is; else the record is void and another one is made.
func TestACorrectedRowIsARevisionOfItsRecord(t *testing.T) {
	linked := people{registered(1, 1, 21, "Corinto"), registered(2, 2, 22, "Corinto"), registered(3, 3, 23, "Corinto")}
	alone := people{registered(0, 1, 21, "Corinto"), registered(0, 2, 22, "Corinto"), registered(0, 3, 23, "Corinto"), registered(0, 4, 24, "Corinto")}
	alike := people{alone[0], alone[1], alone[1], alone[1], alone[2]}
	for name, c := range map[string]struct {
		before, after people
		want          []string
	}{
		"one person key, sorted otherwise": {linked, people{linked[2], registered(1, 1, 21, "El Florido"), linked[1]}, []string{"21 FLO r2", "22 COR r1", "23 COR r1"}},
		"one person key, another day":      {linked, people{linked[0], registered(2, 17, 22, "Corinto"), linked[2]}, []string{"21 COR r1", "22 COR r2", "23 COR r1"}},
		"another document":                 {linked, people{linked[0], registered(9, 2, 22, "Corinto"), linked[2]}, []string{"21 COR r1", "22 COR r1", "22 COR r2 void", "23 COR r1"}},
		"a document that was added":        {alone, people{alone[0], registered(7, 2, 22, "Corinto"), alone[2], alone[3]}, []string{"21 COR r1", "22 COR r1", "22 COR r2 void", "23 COR r1", "24 COR r1"}},
		"two rows of one person":           {people{linked[0], linked[1], registered(2, 9, 22, "Corinto")}, people{linked[0], registered(2, 2, 22, "El Florido"), registered(2, 9, 22, "El Florido")}, []string{"21 COR r1", "22 COR r2 void", "22 COR r2 void", "22 FLO r1", "22 FLO r1"}},
		"between two neighbours":           {alone, people{alone[0], registered(0, 2, 22, "El Florido"), alone[2], alone[3]}, []string{"21 COR r1", "22 FLO r2", "23 COR r1", "24 COR r1"}},
		"newest first":                     {alone, people{alone[3], alone[2], registered(0, 2, 22, "El Florido"), alone[0]}, []string{"21 COR r1", "22 FLO r2", "23 COR r1", "24 COR r1"}},
		"the first and the last":           {alone, people{registered(0, 1, 21, "El Florido"), alone[1], alone[2], registered(0, 4, 24, "El Florido")}, []string{"21 FLO r2", "22 COR r1", "23 COR r1", "24 FLO r2"}},
		"a row was put in":                 {alone, people{alone[0], registered(0, 9, 50, "Agua Caliente"), registered(0, 2, 22, "El Florido"), alone[2], alone[3]}, []string{"21 COR r1", "22 FLO r2", "23 COR r1", "24 COR r1", "50 AGC r1"}},
		"another person's row":             {alone, people{alone[0], registered(0, 2, 42, "Corinto"), alone[2], alone[3]}, []string{"21 COR r1", "22 COR r2 void", "23 COR r1", "24 COR r1", "42 COR r1"}},
		"two rows that may be one's":       {alone, people{alone[0], registered(0, 2, 22, "El Florido"), registered(0, 2, 22, "Agua Caliente"), alone[2], alone[3]}, []string{"21 COR r1", "22 AGC r1", "22 COR r2 void", "22 FLO r1", "23 COR r1", "24 COR r1"}},
		"another place in the file":        {alone, people{alone[0], alone[2], registered(0, 2, 22, "El Florido"), alone[3]}, []string{"21 COR r1", "22 COR r2 void", "22 FLO r1", "23 COR r1", "24 COR r1"}},
		"one of three that are alike":      {alike, people{alone[0], alone[1], alone[1], registered(0, 2, 22, "El Florido"), alone[2]}, []string{"21 COR r1", "22 COR r1", "22 COR r1", "22 FLO r2", "23 COR r1"}},
		"rows gone and rows new":           {alone, people{alone[0], alone[3], registered(0, 5, 25, "Corinto")}, []string{"21 COR r1", "22 COR r2 void", "23 COR r2 void", "24 COR r1", "25 COR r1"}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster(t)
			if _, err := cluster.importPeople(c.before, Options{}, "x"); err != nil {
				t.Fatal(err)
			}
			if _, err := cluster.importPeople(c.after, Options{Replace: "import-x"}, ""); err != nil {
				t.Fatal(err)
			}
			if got := cluster.shows(); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if again, err := cluster.importPeople(c.after, Options{Replace: "import-x"}, ""); err != nil || again.Unchanged != len(c.after) {
				t.Errorf("a second time: %+v, %v", again, err)
			}
			// The first file in its place brings the same records back.
			n := len(cluster.latest())
			if _, err := cluster.importPeople(c.before, Options{Replace: "import-x"}, ""); err != nil || len(cluster.latest()) != n {
				t.Errorf("the first file: %q, %v", cluster.shows(), err)
			}
		})
	}
}

// A record that says something else by now is not that of a row which says what it said at first.
func TestAnIDIsNotUsedForTwoPeople(t *testing.T) {
	c := newCluster(t)
	alone := people{registered(0, 1, 21, "Corinto"), registered(0, 2, 22, "Corinto"), registered(0, 3, 23, "Corinto")}
	corrected := people{alone[0], registered(0, 2, 22, "El Florido"), alone[2]}
	for _, step := range []struct {
		rows people
		o    Options
		name string
	}{
		{alone, Options{}, "x"}, {corrected, Options{Replace: "import-x"}, ""}, {people{alone[1]}, Options{Named: true, Keep: true}, "y"}, {alone, Options{Keep: true, Named: true}, "z"},
	} {
		if _, err := c.importPeople(step.rows, step.o, step.name); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := c.shows(), []string{"21 COR r1", "22 COR r1", "22 FLO r2", "23 COR r1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What releases wrote that voided a corrected row and made another record of it is read as it was meant.
func TestVoidsAndNewRecordsOfEarlierReleases(t *testing.T) {
	c := newCluster(t)
	before := people{registered(0, 1, 21, "Corinto"), registered(0, 2, 22, "Corinto"), registered(0, 3, 23, "Corinto")}
	after := people{before[0], registered(0, 2, 22, "El Florido"), before[2]}
	if _, err := c.importPeople(before, Options{}, "x"); err != nil {
		t.Fatal(err)
	}
	send := func(p people, row int, change func(*events.Record)) {
		i := 0
		err := c.readWith(p.text(), importer.Config{Kind: importer.KindCentre, Secret: c.secret()}).Each(t.Context(), func(r importer.Row) error {
			if i++; i != row {
				return nil
			}
			r.Record.SourceId = "import-x"
			change(r.Record)
			return c.outbox().Put(t.Context(), r.Record)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	send(after, 2, func(r *events.Record) { r.SourceSeq = 4 })
	send(before, 2, func(r *events.Record) { r.SourceSeq, r.Revision, r.VoidReason = 5, 2, "entered_in_error" })
	all, err := List(t.Context(), c.cluster())
	if err != nil {
		t.Fatal(err)
	}
	all[0].Turn++
	all[0].Spans = []Span{{0, 0, openEnd}, {1, 0, openEnd}}
	if err := c.cluster().keep(t.Context(), all[0]); err != nil {
		t.Fatal(err)
	}
	if did, err := c.importPeople(after, Options{Replace: "import-x"}, ""); err != nil || did.Unchanged != 3 || did.Voided+did.Revised+did.New > 0 {
		t.Errorf("%+v, %v", did, err)
	}
	if _, err := c.importPeople(before, Options{Replace: "import-x"}, ""); err != nil {
		t.Fatal(err)
	}
	if got, want := c.shows(), []string{"21 COR r1", "22 COR r3", "22 FLO r2 void", "23 COR r1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Whatever is corrected, left out, added and sorted otherwise in the files of two sources, and wherever a process dies: the files
// count, each record stays with its person, and a file that comes a second time changes nothing.
func TestRevisionsAreOfTheSamePersonWhereverAProcessDied(t *testing.T) {
	const seed = 43
	random := rand.New(rand.NewPCG(seed, seed))
	t.Log("seed", seed)
	row := func() string {
		document := 0
		if random.IntN(2) == 0 {
			document = 1 + random.IntN(9)
		}
		return registered(document, 1+random.IntN(3), 20+document+random.IntN(2)*30, []string{"Corinto", "El Florido"}[random.IntN(2)])
	}
	for range 25 {
		c, files := newCluster(t), map[string]people{"a": nil, "b": nil}
		for range 6 {
			name := []string{"a", "b"}[random.IntN(2)]
			known := files[name] != nil
			file := slices.DeleteFunc(slices.Clone(files[name]), func(string) bool { return random.IntN(6) == 0 })
			for range 1 + random.IntN(3) {
				file = append(file, row())
			}
			for i := range file {
				if random.IntN(5) == 0 {
					file[i] = strings.Replace(file[i], "Corinto", "Agua Caliente", 1)
				}
			}
			if random.IntN(3) == 0 {
				random.Shuffle(len(file), func(i, j int) { file[i], file[j] = file[j], file[i] })
			}
			files[name] = file
			o, source := Options{Replace: "import-" + name}, ""
			if !known {
				o, source = Options{Named: true, Keep: true}, name
			}
			c.left = random.IntN(20)
			if _, err := c.importPeople(file, o, source); err != nil && !errors.Is(err, errDead) && !errors.As(err, new(*UnknownError)) {
				t.Fatal(err)
			}
			c.left = -1
			c.now = c.now.Add(leaseTime)
			if _, err := c.importPeople(file, o, source); err != nil && !errors.As(err, new(*UnknownError)) {
				t.Fatal(err)
			}
			if again, err := c.importPeople(file, Options{Replace: "import-" + name}, ""); err == nil && again.New+again.Revised+again.Restored+again.Voided > 0 {
				t.Fatalf("a second time: %+v", again)
			}
			c.counts(file)
			c.state()
			if t.Failed() {
				return
			}
		}
	}
}

// counts fails when a row of a file is not counted as often as it is there.
func (c *cluster) counts(file people) {
	c.t.Helper()
	f := c.readWith(file.text(), importer.Config{Kind: importer.KindCentre, Secret: c.secret()})
	left := map[string]int{}
	said := func(r *events.Record) string {
		r = proto.CloneOf(r)
		r.RecordId, r.Revision, r.SourceId, r.SourceSeq, r.RecordedTimeMs = "", 0, "", 0, 0
		return r.String()
	}
	for _, r := range c.latest() {
		if r.GetVoidReason() == "" {
			left[said(r)]++
		}
	}
	err := f.Each(c.t.Context(), func(row importer.Row) error {
		if left[said(row.Record)]--; left[said(row.Record)] < 0 {
			c.t.Errorf("not counted: %v", row.Record)
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

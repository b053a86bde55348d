package release_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/release"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// read opens the public form of a vintage as a partner does.
func (o *office) read(p release.Publication) *bundle.Bundle {
	o.t.Helper()
	shelf := vintages.NewShelf(o.conn, time.Minute, 0)
	b, err := bundle.Open(o.t.Context(), vintages.Folder{Shelf: shelf, Period: p.Period, Number: p.Vintage}, o.public.Key.Public().(ed25519.PublicKey))
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func cells(b *bundle.Bundle) string {
	var all []string
	for _, t := range b.Tables {
		for _, c := range t.Cells {
			value := fmt.Sprint(c.Value)
			if c.Withheld {
				value = "Q"
			}
			if c.Codes[0] == "2016-S1" {
				all = append(all, published.Key(t.ID, t.Columns, c.Codes)+"="+value)
			}
		}
	}
	return strings.Join(all, "\n")
}

// TestThePublicFormOfAVintage: a final one is exact, a provisional one rounded, a revision corrects the final one; each says what it is, is
// signed, and stays as it was when more is counted.
func TestThePublicFormOfAVintage(t *testing.T) {
	o := open(t)
	provisional := o.mustPublish(o.conn, release.Provisional, after)
	if got := cells(o.read(provisional)); got != "T2|exit_point=L-COR|time_period=2016-S1=10\nT2|exit_point=OTH|time_period=2016-S1=0\nT2|time_period=2016-S1=10" {
		t.Errorf("the provisional cells are\n%s", got)
	}
	final := o.mustPublish(o.conn, release.Final, after)
	b := o.read(final)
	if got := cells(b); got != "T2|exit_point=L-COR|time_period=2016-S1=7\nT2|exit_point=OTH|time_period=2016-S1=0\nT2|time_period=2016-S1=7" {
		t.Errorf("the final cells are\n%s", got)
	}
	if m := b.Manifest; m.Period != "2016-S1" || m.Vintage != 2 || m.Status != "final" || !m.AsOf.Equal(after) || m.Positions[0].NextOffset != 7 || m.Coverage != nil || len(m.LeftOut) > 0 {
		t.Errorf("the manifest is %+v", m)
	}
	if c := b.Certificate; c.Withheld != 0 || c.Audit.Determined != 0 || c.Cells != c.Published || c.Audit.Arithmetic != "exact" {
		t.Errorf("the certificate is %+v", c)
	}
	before := o.rows("SELECT path, hex(sipHash128(body)) FROM ceniss.released_files WHERE publication = '%s'", final.ID)
	o.count(1, 2, "L-AMA", 9)
	o.account(1, 7, 16)
	o.compared()
	revision := o.mustPublish(o.conn, release.Revision, after)
	if now := o.rows("SELECT path, hex(sipHash128(body)) FROM ceniss.released_files WHERE publication = '%s'", final.ID); now != before {
		t.Errorf("the files were\n%s\nand are\n%s", before, now)
	}
	b = o.read(revision)
	if got := cells(b); got != "T2|exit_point=L-COR|time_period=2016-S1=7\nT2|exit_point=OTH|time_period=2016-S1=9\nT2|time_period=2016-S1=16" {
		t.Errorf("the cells of the revision are\n%s", got)
	}
	if m := b.Manifest; m.Revises != 2 || m.Status != "revision" || m.Reason != "late records" || b.Certificate.Audit.Of != "2016-S1/2" {
		t.Errorf("the manifest is %+v", m)
	}
	if len(b.Differences) != 4 || b.Differences[0].Key != "returns|exit_point=OTH|time_period=2016-06" || b.Differences[0].After != 9 {
		t.Errorf("the differences are %+v", b.Differences)
	}
}

// TestCompanionsAreKept: a vintage keeps its bulletin in every form and language, its tables in every format, its structures and the text of the
// method, signed with the rest and given at their addresses; made again of the public files, after other vintages have come, they have the same
// bytes.
func TestCompanionsAreKept(t *testing.T) {
	o := open(t)
	o.mustPublish(o.conn, release.Provisional, after)
	first := o.mustPublish(o.conn, release.Final, after)
	b := o.read(first)
	o.count(1, 2, "L-AMA", 9)
	o.account(1, 7, 16)
	o.compared()
	o.mustPublish(o.conn, release.Revision, after)
	shelf := vintages.NewShelf(o.conn, time.Minute, 0)
	again, err := bulletin.Files(t.Context(), shelf, vintages.Of(b), nil)
	if err != nil || len(again) != 6 {
		t.Fatal(len(again), err)
	}
	forms, err := formats.Files(vintages.Of(b))
	structures, err2 := sdmx.Files(t.Context(), shelf, vintages.Of(b))
	if err = errors.Join(err, err2); err != nil || len(forms) != 8*len(b.Tables) || len(structures) != 3+2*len(b.Tables) {
		t.Fatal(len(forms), len(structures), err)
	}
	beside := append(append(forms, structures...), bundle.File{Path: bundle.MethodPath, Body: []byte(reconcile.Text)})
	pages, all := bulletin.New(bulletin.Config{Shelf: shelf}), vintages.New(vintages.Config{Shelf: shelf})
	for _, f := range again {
		lang, form, _ := strings.Cut(strings.TrimPrefix(f.Path, bundle.BulletinPath), ".")
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, fmt.Sprintf("/bulletin/2016-S1?lang=%s&vintage=%d&format=%s", lang, first.Vintage, form), nil))
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), f.Body) {
			t.Errorf("%s: %d, and %d bytes where %d are kept", f.Path, w.Code, w.Body.Len(), len(f.Body))
		}
	}
	for _, f := range append(again, beside...) {
		w := httptest.NewRecorder()
		all.ServeHTTP(w, httptest.NewRequest(http.MethodGet, vintages.Address("2016-S1", first.Vintage)+f.Path, nil))
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), f.Body) {
			t.Errorf("%s: %d, and %d bytes where %d are kept", f.Path, w.Code, w.Body.Len(), len(f.Body))
		}
		if !slices.ContainsFunc(b.Manifest.Files, func(h bundle.Hash) bool { return h.Path == f.Path && h.Bytes == int64(len(f.Body)) }) {
			t.Errorf("the manifest does not name %s with %d bytes", f.Path, len(f.Body))
		}
	}
}

// TestTheNextReleaseIsAnnounced: a day to come stands in the manifest; anything else is refused before anything is read.
func TestTheNextReleaseIsAnnounced(t *testing.T) {
	period, err := calendar.ParsePeriod("2016-S1")
	if err != nil {
		t.Fatal(err)
	}
	order := release.Order{Period: period, Status: release.Final, AsOf: time.Date(2016, 10, 3, 12, 0, 0, 0, time.UTC)}
	for next, ok := range map[string]bool{"": true, "2016-10-04": true, "2016-10-03": false, "2017-S1": false, "soon": false, "2017-02-30": false} {
		order.Next = next
		if err := order.Validate(); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "2017-02-15") {
			t.Errorf("%q: %v", next, err)
		}
	}
}

// TestAnotherKeySigns: the publisher is told that the vintage before was signed by another key.
func TestAnotherKeySigns(t *testing.T) {
	o := open(t)
	o.count(1, 2, "L-COR", 7)
	first := o.mustPublish(o.conn, release.Final, after)
	o.count(1, 2, "L-AMA", 9)
	o.account(1, 7, 16)
	o.compared()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.public.Key = key; first.KeyBefore != "" || first.Key == "" {
		t.Errorf("the first is signed by %q, and before by %q", first.Key, first.KeyBefore)
	}
	second := o.mustPublish(o.conn, release.Revision, after)
	if second.KeyBefore != first.Key || second.Key != o.read(second).Certificate.Key {
		t.Errorf("the second is signed by %q, and before by %q", second.Key, second.KeyBefore)
	}
}

// TestTheSameFactsGiveTheSameTables: whatever was counted in between, and in whichever order.
func TestTheSameFactsGiveTheSameTables(t *testing.T) {
	tables := func(o *office) map[string][]byte {
		files := map[string][]byte{}
		p := o.mustPublish(o.conn, release.Final, after)
		folder := vintages.Folder{Shelf: vintages.NewShelf(o.conn, time.Minute, 0), Period: p.Period, Number: p.Vintage}
		for _, path := range []string{"tables/T2.csv", "tables/T2.csv-metadata.json", bundle.CodesPath, bundle.LatticePath} {
			body, err := folder.Read(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			files[path] = body
		}
		return files
	}
	one := open(t)
	one.count(1, 2, "L-AMA", 6)
	want := tables(one)
	other := open(t) // the same engine, emptied
	other.count(1, 2, "L-AMA", 11)
	other.count(1, 3, "L-COR", 9)
	other.count(1, 4, "L-COR", 7)
	other.count(1, 5, "L-AMA", 6)
	for path, body := range tables(other) {
		if !bytes.Equal(body, want[path]) {
			t.Errorf("%s is\n%s\nand\n%s", path, want[path], body)
		}
	}
}

// TestTooFewToBePublished: of so few returns nothing leaves the house but that they were counted; the vintage says which tables are
// left out.
func TestTooFewToBePublished(t *testing.T) {
	o := open(t)
	o.count(1, 2, "L-COR", 2)
	p := o.mustPublish(o.conn, release.Final, after)
	if b := o.read(p); len(b.Tables) > 0 || strings.Join(p.LeftOut, " ") != "T2" || strings.Join(b.Manifest.LeftOut, " ") != "T2" || len(b.Codes) > 0 || p.Registered != 2 {
		t.Errorf("published is %+v of %+v", b, p)
	}
}

// TestAReturnThatMoves: a fact that changes without its cell, while it is copied, makes the publication begin again.
func TestAReturnThatMoves(t *testing.T) {
	o := open(t)
	conn := &watched{Conn: o.conn, text: "retorno.published_counts WHERE publication", do: func(n int) error {
		if n == 1 {
			o.exec("INSERT INTO retorno.assistance (record_id, version, person, day, centre, kind, sex, age_group) VALUES ('01550f5a-5800-7000-8000-000000000001', 1, generateUUIDv4(), '2016-06-02', 'CAMR-SPS', 'food', 'M', '21-30')")
		}
		return nil
	}}
	if o.mustPublish(conn, release.Final, after); conn.n != 2 {
		t.Errorf("published after %d copies", conn.n)
	}
}

// TestAVintageWithoutAKey: what is not signed is not published.
func TestAVintageWithoutAKey(t *testing.T) {
	o := open(t)
	o.public.Key = nil
	if _, err := o.publish(o.conn, release.Final, after); !errors.Is(err, release.ErrNoKey) || o.rows("SELECT id FROM ceniss.publications") != "" {
		t.Errorf("published without a key: %v", err)
	}
}

// TestWhatOthersPublish: with a partner's count a withheld one can be computed, so nothing is published; without it, it is, and the certificate
// says which vintages were attacked together.
func TestWhatOthersPublish(t *testing.T) {
	o := open(t)
	o.count(1, 2, "L-COR", 2)
	o.count(1, 3, "L-AMA", 9)
	l, err := lattice.Parse("test", []byte(strings.Replace(oneTable, "time: [M, S]", "time: [S]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	o.public.Lattice = l
	o.public.Known = []attack.Known{{Measure: "returns", Columns: []string{"exit_point", "time_period"}, Codes: []string{"OTH", "2016-S1"}, Value: 9}}
	_, err = o.publish(o.conn, release.Final, after)
	var refused *release.RefusedError
	if !errors.As(err, &refused) || !refused.Has(release.Disclosed) || !strings.Contains(err.Error(), "exit_point=L-COR") || o.rows("SELECT id FROM ceniss.publications") != "" {
		t.Errorf("published beside what gives it away: %v", err)
	}
	o.public.Known = nil
	provisional := o.read(o.mustPublish(o.conn, release.Provisional, after))
	if got := cells(provisional); got != "T2|exit_point=L-COR|time_period=2016-S1=Q\nT2|exit_point=OTH|time_period=2016-S1=Q\nT2|time_period=2016-S1=10" {
		t.Errorf("a provisional vintage shows what the final one withholds:\n%s", got)
	}
	b := o.read(o.mustPublish(o.conn, release.Final, after))
	if b.Certificate.Withheld == 0 || strings.Join(b.Certificate.Attack.Vintages, " ") != fmt.Sprintf("2016-S1/%d 2016-S1/%d", b.Manifest.Vintage-1, b.Manifest.Vintage) || b.Certificate.Attack.Found != 0 {
		t.Errorf("the certificate is %+v", b.Certificate)
	}
}

// TestAKeptCountComesBack: a revision by one person keeps the count where it changed; the next one, by enough persons since then and since the
// final vintage, shows it again.
func TestAKeptCountComesBack(t *testing.T) {
	o := open(t)
	o.count(1, 2, "L-AMA", 9)
	o.mustPublish(o.conn, release.Final, after)
	for i, c := range []struct {
		count int
		want  string
	}{
		{10, "T2|exit_point=L-COR|time_period=2016-S1=7\nT2|exit_point=OTH|time_period=2016-S1=9\nT2|time_period=2016-S1=17"},
		{14, "T2|exit_point=L-COR|time_period=2016-S1=7\nT2|exit_point=OTH|time_period=2016-S1=14\nT2|time_period=2016-S1=21"},
	} {
		o.count(1, 3+i, "L-AMA", c.count)
		o.account(1, 7+i, 8+i)
		o.compared()
		b := o.read(o.mustPublish(o.conn, release.Revision, after))
		if got := cells(b); got != c.want {
			t.Errorf("with %d the cells are\n%s", c.count, got)
		}
		for _, d := range b.Differences {
			if d.Key == "returns|exit_point=OTH|time_period=2016-S1" && (d.Before != 9 || d.After != 14) {
				t.Errorf("%+v", d)
			}
		}
	}
}

package clients_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/clients"
	"retorno/deploy/lab/enginetest"
)

// halfYears are the vintages that partners find: a half-year that was revised, one with a provisional vintage only, and one with a
// provisional and a final one. The last of each half-year is what they must read.
var halfYears = []vintagestest.Vintage{
	{Period: "2014-S1", Number: 1, Status: "final", Published: time.Date(2014, 10, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2014-S1", Number: 2, Status: "revision", Published: time.Date(2015, 3, 2, 12, 0, 0, 0, time.UTC)},
	{Period: "2015-S2", Number: 1, Status: "provisional", Published: time.Date(2016, 2, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2016-S1", Number: 1, Status: "provisional", Published: time.Date(2016, 8, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2016-S1", Number: 2, Status: "final", Published: time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC)},
}

// concepts are the dimensions of the columns of tables, written by hand: the service takes them from the dictionary.
var concepts = map[string]string{"source": "SOURCE", "route": "ROUTE", "exit_point": "EXIT_POINT", "sex": "SEX", "age": "AGE", "accompanied": "ACCOMPANIMENT",
	"residence": "MUNICIPALITY_ORIGIN", "entry_point": "ENTRY_POINT", "centre": "CENTRE", "return_type": "TYPE_RETURN",
	"kind": "ASSISTANCE_KIND", "result": "DOCUMENT_CHECK", "post": "BORDER_POINT", "time_period": "TIME_PERIOD"}

// observation is one that a partner must read.
type observation struct {
	Key     map[string]string `json:"key"` // dimensions that are no totals
	Value   *int64            `json:"value"`
	Status  string            `json:"status"`
	Conf    string            `json:"conf"`
	Vintage string            `json:"vintage"`
}

// partnersFile serves vintages, and writes what must be read of them, table by table.
func partnersFile(t *testing.T) (base, file string) {
	t.Helper()
	conn := enginetest.Fresh(t, engine).Conn()
	for _, v := range halfYears {
		if err := vintagestest.Publish(t.Context(), conn, v); err != nil {
			t.Fatal(err)
		}
	}
	shelf := vintages.NewShelf(conn, time.Minute, time.Hour)
	all, err := shelf.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]observation{}
	for _, i := range []int{1, 2, 4} {
		at := slices.IndexFunc(all, func(v vintages.Vintage) bool {
			return v.Period == halfYears[i].Period && v.Number == halfYears[i].Number
		})
		o, err := shelf.Open(t.Context(), all[at])
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range o.Tables {
			for _, c := range table.Cells {
				one := observation{Key: map[string]string{"MEASURE": table.Measure}, Status: "A", Conf: "F"}
				for j, column := range table.Columns {
					if code := c.Codes[j]; code != "_T" {
						one.Key[concepts[column]] = strings.ReplaceAll(code, "+", "@") // an id has no plus sign
					}
				}
				of := o.Number
				if c.Kept {
					of = c.Of
				}
				one.Vintage = o.Period + "/" + strconv.FormatUint(of, 10)
				if o.Manifest.Rounded > 1 {
					one.Status = "P"
				}
				if c.Withheld {
					one.Status, one.Conf = "Q", "C"
				} else {
					one.Value = &c.Value
				}
				want[table.ID] = append(want[table.ID], one)
			}
		}
	}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "want.json")
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sdmx.New(sdmx.Config{Shelf: shelf}))
	t.Cleanup(server.Close)
	return server.URL, file
}

// TestSDMX1 and TestPySDMX: partners' programs, as they come, find every dataflow and read the observations that were published, the
// withheld ones without a value, by what their libraries ask for and by each format that these can read.
func TestSDMX1(t *testing.T) {
	base, file := partnersFile(t)
	call(t, ".", partnersPython(t), "-I", "sdmx1_reads.py", base, file)
}

func TestPySDMX(t *testing.T) {
	base, file := partnersFile(t)
	call(t, ".", partnersPython(t), "-I", "pysdmx_reads.py", base, file)
}

// TestSchemasOfSDMX: what is answered to 1,000 drawn questions is what the schemas of the standard allow, XSD and JSON.
func TestSchemasOfSDMX(t *testing.T) {
	base, file := partnersFile(t)
	call(t, ".", partnersPython(t), "-I", "sdmx_schemas.py", base, file, strconv.FormatInt(time.Now().UnixNano(), 10))
}

func partnersPython(t *testing.T) string {
	t.Helper()
	interpreter, err := clients.Partners(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return interpreter
}

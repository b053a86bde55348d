// Package bundle is the public form of a vintage: files that anybody can copy, cite, check and take apart without this
// program. It makes them, and reads them again from a folder or from an address.
//
//	manifest.json                  what the vintage is, and the SHA-256 of each file below
//	codes.csv                      each code of each column, with its parent and its labels
//	lattice.yaml                   which tables are published, and by which rules
//	tables/T1.csv                  the cells of a table
//	tables/T1.csv-metadata.json    what its columns are (W3C, Metadata Vocabulary for Tabular Data)
//	bulletin/es.html               the bulletin as a page, as the workbooks es.xlsx and es.ods, and as es.pdf; the same in English: en
//	formats/es/T1.jsonstat.json    a table as JSON-stat, and as HXL, Parquet and JSON, with labels in Spanish; in English below en
//	sdmx/structures-3.0.json       what SDMX calls the tables, their columns and codes; also as XML of 2.1 and of 3.0
//	sdmx/data/T1.csv               the observations of a dataflow as SDMX-CSV 2.1; T1.xml as structure-specific SDMX-ML 2.1
//	METHOD.md                      the method by which events were counted
//	revision.csv                   of a revision: which counts changed, and for which reasons; with its metadata
//	certificate.json               what the disclosure audit found, with the SHA-256 of the manifest
//	certificate.sig                the Ed25519 signature of certificate.json, 64 bytes
//	public-key.pem                 the key that checks it
//
// It promises that the same content gives the same bytes, in whatever order rows and tables were given, and that what is read
// is what was sealed: a file that is missing, of which one bit differs, or that lies in the folder without being announced is
// refused by its name. It does not judge whether a table tells too much, and asks neither Kafka nor ClickHouse.
package bundle

import (
	"slices"
	"time"

	"retorno/consumers/dissemination/disclosure/published"
)

// Statuses of cells, by SDMX's code list CL_OBS_STATUS (https://registry.sdmx.org, version 2.2).
const (
	normal      = "A"
	provisional = "P"
	suppressed  = "Q" // missing value; suppressed
)

// Table is one published table, with its name. Its first column is the period.
type Table struct {
	published.Table
	Title    Title
	revision uint64 // the number of the vintage, if it is a revision
}

// Title is what a table is called.
type Title struct{ ES, EN string }

// Code is one code of a column. Parent is the code that it is part of; Total has none.
type Code struct {
	Column, Code, Parent string
	LabelES, LabelEN     string
}

// Manifest says what a vintage is.
type Manifest struct {
	Period        string     `json:"period"`
	Vintage       uint64     `json:"vintage"` // 1, 2, … of the period
	Status        string     `json:"status"`  // provisional, final, revision
	AsOf          time.Time  `json:"as_of"`   // when it was counted
	Published     time.Time  `json:"published_at"`
	Reason        string     `json:"reason,omitempty"`
	Revises       uint64     `json:"revises,omitempty"`             // of a revision, the vintage that it corrects
	Accepted      string     `json:"accepted_incomplete,omitempty"` // why it was published although records are missing
	MethodVersion int        `json:"method_version"`
	Lattice       string     `json:"lattice_version"`
	CodeLists     string     `json:"code_lists_sha256"`
	Software      string     `json:"software"`
	Coverage      *float64   `json:"coverage_percent"`          // registered returns of all that are known; null where these are not published, or too few
	Late          *float64   `json:"late_percent"`              // returns first written down more than 72 hours after the arrival; likewise
	Rounded       int64      `json:"rounded_to"`                // base that values are rounded to; 0: they are exact
	NextRelease   string     `json:"next_release,omitempty"`    // the day, 2017-02-15, that was announced for the next publication; "": none was
	Missing       uint64     `json:"missing_records"`           // of the computers, that may be of the period
	LeftOut       []string   `json:"tables_left_out,omitempty"` // tables with which counts of few persons could be computed
	Positions     []Position `json:"positions"`
	Files         []Hash     `json:"files"`
}

// Position is how far a partition of a topic had been counted.
type Position struct {
	Topic      string `json:"topic"`
	Partition  uint16 `json:"partition"`
	NextOffset uint64 `json:"next_offset"`
}

// Hash is what a file must be.
type Hash struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // hexadecimal
	Bytes  int64  `json:"bytes"`
}

// Certificate says what the disclosure audit found. It is signed, and holds nothing that tells why a cell is withheld.
type Certificate struct {
	Vintage   string    `json:"vintage"` // SHA-256 of manifest.json, hexadecimal
	Key       string    `json:"key"`     // SHA-256 of the public key's bytes, hexadecimal
	Period    string    `json:"period"`
	Status    string    `json:"status"`
	Lattice   string    `json:"lattice"` // SHA-256 of lattice.yaml, hexadecimal
	Software  string    `json:"software"`
	Cells     int       `json:"cells"`
	Published int       `json:"published"`
	Withheld  int       `json:"withheld"`
	Kept      int       `json:"kept,omitempty"` // of a revision, the cells that show the count of an earlier vintage
	Audit     Audit     `json:"audit"`
	Attack    Attack    `json:"attack"`
	MadeAt    time.Time `json:"made_at"`
}

// Audit is what holds for every withheld cell.
type Audit struct {
	// Of names the vintage whose audit this is: a revision withholds what that one withholds, and is attacked, not audited, itself.
	Of         string   `json:"of,omitempty"`
	Arithmetic string   `json:"arithmetic"` // exact
	Programs   int      `json:"lps"`        // linear programs solved
	Audited    int      `json:"audited"`    // withheld cells that were looked at
	Determined int      `json:"determined"` // of these, cells that the published ones fix: 0
	MinWidth   *int64   `json:"min_width"`  // of the intervals that the published cells leave; null: none was looked at
	MaxLow     int64    `json:"max_low"`    // the largest lower end of such an interval
	JointWith  []string `json:"joint_with"` // earlier vintages that an attacker knows too
	OwnCase    bool     `json:"singleton_attack"`
	Core       int      `json:"core"` // cells of the part of the lattice that is no forest of tables; 0: it is one
}

// Attack is the attack that the vintage withstood before it was published.
type Attack struct {
	Vintages []string `json:"vintages"` // attacked together, this one last
	Known    int      `json:"known"`    // counts from elsewhere that the attacker had
	Found    int      `json:"found"`    // counts that it found: 0
}

// File is one file of a bundle.
type File struct {
	Path string
	Body []byte
}

// Bundle is a vintage as it was read.
type Bundle struct {
	Manifest    Manifest
	Certificate Certificate
	Tables      []Table
	Differences []published.Difference // of a revision
	Codes       []Code
	Lattice     []byte
}

// sorted returns the table with its cells in the one order that files have.
func (t Table) sorted() Table {
	t.Cells = slices.Clone(t.Cells)
	slices.SortFunc(t.Cells, func(a, b published.Cell) int { return slices.Compare(a.Codes, b.Codes) })
	return t
}

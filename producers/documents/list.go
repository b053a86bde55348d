package documents

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"retorno/producers/identity"
	"retorno/producers/reading"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// ReadList reads a list of documents that were reported stolen: CSV with the columns document_number and, if there are such,
// document_type, document_country and day (else that of now). Each becomes a finding under the secret; withdrawn makes those by
// which they are taken back. A later list counts more than an earlier one. The error names the line and what is wrong, never a
// number; then there are no findings.
func ReadList(from io.Reader, secret identity.Secret, now time.Time, withdrawn bool) ([]agents.Finding, error) {
	rows := csv.NewReader(from)
	rows.TrimLeadingSpace = true
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	known := []string{"document_number", "document_type", "document_country", "day"}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains(known, head[i]) {
			return nil, fmt.Errorf("line 1: column %d is none of %s", i+1, strings.Join(known, ", "))
		}
	}
	if !slices.Contains(head, known[0]) {
		return nil, errors.New("line 1: there is no column document_number")
	}
	var all []agents.Finding
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		line, _ := rows.FieldPos(0)
		cells := map[string]string{}
		for i, name := range head[:min(len(head), len(row))] {
			cells[name] = strings.TrimSpace(row[i])
		}
		var f agents.Finding
		if err == nil {
			f, err = listed(cells, secret, now)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", line, err)
		case len(all) >= MaxFindings:
			return nil, fmt.Errorf("line %d: more than %d documents; posts know no more", line, MaxFindings)
		case withdrawn:
			f = agents.Finding{ID: f.ID, Revision: f.Revision, Void: true}
		}
		all = append(all, f)
	}
}

// listed is the finding of one row.
func listed(cells map[string]string, secret identity.Secret, now time.Time) (f agents.Finding, err error) {
	d := identity.Document{Number: cells["document_number"]}
	if text := cells["document_type"]; text != "" {
		var ok bool
		if d.Type, ok = identity.TypeOf(text); !ok {
			return f, errors.New("document_type is no type of document")
		}
	}
	if text := cells["document_country"]; text != "" {
		var ok bool
		if d.Country, ok = codelists.Resolve(codelists.Country, text); !ok {
			return f, errors.New("document_country is not in the list")
		}
	}
	day := calendar.DayOfTime(now)
	if text := cells["day"]; text != "" {
		var ok bool
		if day, ok = reading.Date(text, reading.DayFirst, reading.ThisCentury); !ok || day > calendar.DayOfTime(now) {
			return f, errors.New("day is no day up to today")
		}
	}
	f = agents.Finding{Revision: uint64(now.Unix()), Result: agents.ReportedStolen, Day: day.String()}
	if f.Hash, err = secret.DocumentHash(d); err != nil {
		return f, err
	}
	if f.Hash == "" {
		return f, errors.New("document_number is empty or a slip")
	}
	f.ID, err = secret.FindingID("list " + f.Hash)
	return f, err
}

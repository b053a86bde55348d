package completeness

import (
	"context"
	"errors"
	"fmt"
)

// Links are records of one computer that a person key links to others.
type Links struct {
	Linked        uint64 // they have a person key
	Contradicting uint64 // of these: their key has records of several people, by sex or age, of whatever computer
}

// ReadLinks reads the links of every computer, by name. It groups all facts by person, on disk where they are many, and takes
// the longer the more there are. The error says that ClickHouse could not be asked.
func ReadLinks(ctx context.Context, conn Conn) (links map[string]Links, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read the keys with contradictions: %w", err)
		}
	}()
	rows, err := conn.Query(ctx, `SELECT source, sum(records), sum(contradicting_records) FROM retorno.linked_records GROUP BY source
SETTINGS max_bytes_before_external_group_by = 268435456, max_bytes_before_external_sort = 268435456`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	links = map[string]Links{}
	for rows.Next() {
		var name string
		var one Links
		if err := rows.Scan(&name, &one.Linked, &one.Contradicting); err != nil {
			return nil, err
		}
		links[name] = one
	}
	return links, rows.Err()
}

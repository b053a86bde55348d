package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"retorno/consumers/reconcile"
)

// whereabouts is a person and the Kafka partition that counts them.
type whereabouts struct {
	person    ID
	partition int
}

// find names the persons to whom an id belongs, as the id of a return, also of one that is no more, or of a record.
func (e *Explainer) find(ctx context.Context, id ID) ([]whereabouts, error) {
	// Without FINAL: the row of a return that is no more is there as deleted.
	rows, err := e.cfg.Store.Conn().Query(ctx, `SELECT DISTINCT person, kafka_partition FROM
		(SELECT person, kafka_partition FROM retorno.returns WHERE return_id = toUUID(?)
		UNION ALL SELECT person, kafka_partition FROM retorno.facts WHERE record_id = toUUID(?)) ORDER BY person`, id.String(), id.String())
	if err != nil {
		return nil, fmt.Errorf("explain: find %s: %w", id, err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	var all []whereabouts
	for rows.Next() {
		var person uuid.UUID
		var partition uint16
		if err := rows.Scan(&person, &partition); err != nil {
			return nil, fmt.Errorf("explain: find %s: %w", id, err)
		}
		all = append(all, whereabouts{person, int(partition)})
	}
	return all, rows.Err()
}

// columnOf is the expression that writes a column of retorno.returns as reconcile.Return.Attributes does.
func columnOf(attribute string) string {
	switch attribute {
	case "age":
		return "ifNull(toString(age), 'unknown')"
	case "reasons":
		return "arrayStringConcat(arraySort(reasons), ',')"
	}
	return "toString(" + attribute + ")"
}

// storedReturns reads a person's returns under these ids. A return is named after a fact of its own, so the ids of all
// facts find every return that the person can have.
func (e *Explainer) storedReturns(ctx context.Context, person ID, ids []ID) (map[ID][]reconcile.Attribute, error) {
	stored := map[ID][]reconcile.Attribute{}
	if len(ids) == 0 {
		return stored, nil
	}
	names := reconcile.AttributeNames()
	columns, keys := make([]string, len(names)), make([]string, len(ids))
	for i, name := range names {
		columns[i] = columnOf(name)
	}
	for i, id := range ids {
		keys[i] = "'" + id.String() + "'"
	}
	rows, err := e.cfg.Store.Conn().Query(ctx, fmt.Sprintf("SELECT return_id, [%s] FROM retorno.returns FINAL WHERE return_id IN (%s) AND person = toUUID(?)",
		strings.Join(columns, ", "), strings.Join(keys, ", ")), person.String())
	if err != nil {
		return nil, fmt.Errorf("explain: read the stored returns: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	for rows.Next() {
		var id uuid.UUID
		var values []string
		if err := rows.Scan(&id, &values); err != nil {
			return nil, fmt.Errorf("explain: read the stored returns: %w", err)
		}
		for i, v := range values {
			stored[id] = append(stored[id], reconcile.Attribute{Name: names[i], Value: v})
		}
	}
	return stored, rows.Err()
}

// differences says in words where what is stored is not what the facts come to.
func differences(stored map[ID][]reconcile.Attribute, returns []reconcile.Return) []string {
	var all []string
	expected := map[ID]bool{}
	for i := range returns {
		r := &returns[i]
		expected[r.ID] = true
		is, ok := stored[r.ID]
		if !ok {
			all = append(all, fmt.Sprintf("return %s follows from the log and is not stored", r.ID))
			continue
		}
		for _, c := range changesOf(is, r.Attributes()) {
			all = append(all, fmt.Sprintf("return %s: %s is stored as %s, the log comes to %s", r.ID, c.Name, c.Before, c.After))
		}
	}
	for id := range stored {
		if !expected[id] {
			all = append(all, fmt.Sprintf("return %s is stored and does not follow from the log", id))
		}
	}
	slices.Sort(all)
	return all
}

package store

import (
	"context"
	"fmt"
	"time"

	"retorno/consumers/counting/store/column"
	"retorno/schemas/codelists"
	"retorno/schemas/warehouse"
)

const createMigrations = `CREATE TABLE IF NOT EXISTS retorno.migrations
(
    number     UInt32   COMMENT 'Número del paso / Number of the step',
    name       String   COMMENT 'Nombre / Name',
    checksum   String   COMMENT 'SHA-256 del archivo / SHA-256 of the file',
    applied_at DateTime('America/Tegucigalpa') COMMENT 'Cuándo se aplicó / When it was applied'
)
ENGINE = ReplacingMergeTree(applied_at) ORDER BY number
COMMENT 'Pasos del esquema que se han aplicado / Steps of the schema that have been applied'`

// Migrate creates or upgrades both databases, fills the code lists and replaces the views. Applying it twice, or by
// two processes at once, changes nothing. It returns the names of the steps that it applied. A step that was applied
// from another text than the one it has now is an error: a released migration is never edited.
func (s *Store) Migrate(ctx context.Context) (applied []string, err error) {
	migrations, err := warehouse.Migrations()
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{"CREATE DATABASE IF NOT EXISTS retorno", createMigrations} {
		if err := s.exec(ctx, "prepare the migrations", statement); err != nil {
			return nil, err
		}
	}
	done, err := s.applied(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range migrations {
		checksum, ok := done[m.Number]
		if ok && checksum != m.Checksum {
			return applied, fmt.Errorf("migration %04d_%s was applied from another text (SHA-256 %s, now %s); a released migration must not change", m.Number, m.Name, checksum, m.Checksum)
		}
		delete(done, m.Number)
		if ok {
			continue
		}
		if err := s.apply(ctx, m); err != nil {
			return applied, err
		}
		applied = append(applied, fmt.Sprintf("%04d_%s", m.Number, m.Name))
	}
	if err := s.CheckCodes(ctx, "retorno.codes"); err != nil {
		return applied, err
	}
	for number := range done {
		return applied, fmt.Errorf("the database has migration %04d, which this program does not know: it was made by a newer release", number)
	}
	return applied, s.refresh(ctx)
}

// Step is the number of the latest step of the schema that this program has. An error means that it was built from a broken
// tree.
func Step() (uint32, error) {
	migrations, err := warehouse.Migrations()
	if err != nil {
		return 0, err
	}
	return uint32(len(migrations)), nil
}

func (s *Store) apply(ctx context.Context, m warehouse.Migration) error {
	name := fmt.Sprintf("migration %04d_%s", m.Number, m.Name)
	for i, statement := range m.Statements {
		if err := s.exec(ctx, fmt.Sprintf("%s, statement %d", name, i+1), statement); err != nil {
			return err
		}
	}
	return s.exec(ctx, name, "INSERT INTO retorno.migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
		uint32(m.Number), m.Name, m.Checksum, time.Now())
}

// refresh brings the code lists and the views to what this program has.
func (s *Store) refresh(ctx context.Context) error {
	if err := s.fillCodes(ctx); err != nil {
		return err
	}
	views, err := warehouse.Views()
	if err != nil {
		return err
	}
	for i, statement := range views {
		if err := s.exec(ctx, fmt.Sprintf("view %d", i+1), statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) exec(ctx context.Context, doing, statement string, args ...any) error {
	if err := s.conn.Exec(ctx, statement, args...); err != nil {
		return classify(doing, err)
	}
	return nil
}

func (s *Store) applied(ctx context.Context) (map[int]string, error) {
	rows, err := s.conn.Query(ctx, "SELECT number, checksum FROM retorno.migrations FINAL")
	if err != nil {
		return nil, classify("read the migrations", err)
	}
	defer rows.Close()
	done := map[int]string{}
	for rows.Next() {
		var number uint32
		var checksum string
		if err := rows.Scan(&number, &checksum); err != nil {
			return nil, err
		}
		done[int(number)] = checksum
	}
	return done, rows.Err()
}

// CheckCodes refuses with *NewerError code lists that hold a code which this program does not know: a newer release wrote
// it, and this one would take what bears it for unknown. table is where the lists are: retorno.codes, or ceniss.codes for a
// role that may read no other.
func (s *Store) CheckCodes(ctx context.Context, table string) error {
	rows, err := s.conn.Query(ctx, "SELECT DISTINCT list, code FROM "+table+" ORDER BY list, code")
	if err != nil {
		return classify("read the code lists", err)
	}
	defer rows.Close()
	for rows.Next() {
		var list, code string
		if err := rows.Scan(&list, &code); err != nil {
			return err
		}
		l, known := codelists.Get(list)
		if known {
			_, known = l.Index(code)
		}
		if !known {
			return &column.NewerError{List: list, Text: code}
		}
	}
	return rows.Err()
}

// fillCodes writes every code list. A code is never taken out of a list, so replacing rows by key is enough.
func (s *Store) fillCodes(ctx context.Context) error {
	const doing = "write the code lists"
	batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO retorno.codes (list, code, label_es, label_en, valid_from, valid_to, version)")
	if err != nil {
		return classify(doing, err)
	}
	version := uint64(time.Now().UnixMilli())
	for _, list := range codelists.Lists() {
		for _, c := range list.Codes() {
			if err := batch.Append(list.Name, c.Code, c.LabelES, c.LabelEN, orNull(c.ValidFrom), orNull(c.ValidTo), version); err != nil {
				return fmt.Errorf("%s: %s %s: %w", doing, list.Name, c.Code, err)
			}
		}
	}
	if err := batch.Send(); err != nil {
		return classify(doing, err)
	}
	return nil
}

func orNull(isoDate string) *string {
	if isoDate == "" {
		return nil
	}
	return &isoDate
}

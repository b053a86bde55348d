package store

import "github.com/ClickHouse/ch-go"

// InsertSettings are those of an insert of so many rows as a flush makes it, for measurements beside it.
func InsertSettings(rows int) []ch.Setting { return insertSettings(rows) }

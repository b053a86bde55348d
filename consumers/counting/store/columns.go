package store

import (
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"retorno/schemas/calendar"
)

// block is a set of rows of one table, column by column, as they go over the wire, out or in.
type block struct {
	input  proto.Input
	result proto.Results
}

// col adds a column to the block and hands it back to be appended to or read from.
func col[C proto.Column](b *block, name string, c C) C {
	b.input = append(b.input, proto.InputColumn{Name: name, Data: c})
	b.result = append(b.result, proto.ResultColumn{Name: name, Data: c})
	return c
}

func (b *block) rows() int { return b.input[0].Data.Rows() }

func (b *block) clear() { b.input.Reset() }

func (b *block) self() *block { return b }

// without is the block to be read without some of its columns.
func (b *block) without(names ...string) *block {
	rest := &block{}
	for i, c := range b.result {
		if !slices.Contains(names, c.Name) {
			rest.result = append(rest.result, c)
			rest.input = append(rest.input, b.input[i])
		}
	}
	return rest
}

// columns are the names of the block's columns, as in a SELECT.
func (b *block) columns() string {
	all := make([]string, len(b.input))
	for i, c := range b.input {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}

// The column types of the schema, by their short names.
type (
	ids     = *proto.ColUUID
	numbers = *proto.ColUInt64
	flags   = *proto.ColUInt8
	days    = *proto.ColDate
	times   = *proto.ColDateTime64
)

func newIDs() ids         { return new(proto.ColUUID) }
func newNumbers() numbers { return new(proto.ColUInt64) }
func newFlags() flags     { return new(proto.ColUInt8) }
func newDays() days       { return new(proto.ColDate) }
func newTimes() times     { return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli) }

func flag(set bool) uint8 {
	if set {
		return 1
	}
	return 0
}

// appendDay appends a local day.
func appendDay(c days, d calendar.Day) { *c = append(*c, date(d)) }

// date is a day as ClickHouse's Date holds it: days since 1970-01-01.
func date(d calendar.Day) proto.Date { return proto.Date(d) }

// yearOf is the year in UTC in which a UUIDv7 was made: the partition of the tables that are keyed by record id.
func yearOf(id uuid.UUID) int {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC().Year()
}

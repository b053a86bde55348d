package nativeserver_test

import (
	"fmt"
	"math/big"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// Every type travels to the engine and back, under every compression.
func TestTypesThroughClickHouseGo(t *testing.T) {
	for name, compression := range map[string]*clickhouse.Compression{
		"none": nil, "lz4": {Method: clickhouse.CompressionLZ4}, "zstd": {Method: clickhouse.CompressionZSTD},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, func(o *clickhouse.Options) { o.Compression = compression })
			tegucigalpa, err := time.LoadLocation("America/Tegucigalpa")
			if err != nil {
				t.Fatal(err)
			}
			when := time.Date(2016, 6, 30, 23, 30, 1, 123456000, tegucigalpa)
			huge, _ := new(big.Int).SetString("340282366920938463463374607431768211455", 10)
			text, number := "L-COR", int32(63)
			values := []struct {
				typ   string
				value any
			}{
				{"Int8", int8(-5)}, {"UInt16", uint16(65535)}, {"Int64", int64(-1 << 60)}, {"UInt64", uint64(1<<64 - 1)},
				{"UInt128", *huge}, {"Int256", *new(big.Int).Neg(huge)}, {"Float32", float32(1.5)}, {"Float64", 2.25}, {"Bool", true},
				{"String", "Choluteca ñ"}, {"FixedString(3)", "abc"},
				{"Date", time.Date(2016, 6, 30, 0, 0, 0, 0, tegucigalpa)}, {"Date32", time.Date(1925, 1, 1, 0, 0, 0, 0, tegucigalpa)},
				{"DateTime('America/Tegucigalpa')", when.Truncate(time.Second)}, {"DateTime64(6, 'America/Tegucigalpa')", when},
				{"Decimal(9, 2)", decimal.RequireFromString("63.01")}, {"Decimal(38, 10)", decimal.RequireFromString("-1.0000000001")},
				{"UUID", uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")}, {"IPv4", net.ParseIP("10.0.0.1").To4()}, {"IPv6", net.ParseIP("2001:db8::1")},
				{"Enum8('entry' = 1, 'exit' = 2)", "exit"}, {"Enum16('a' = -1000, 'b' = 1000)", "b"},
				{"Nullable(String)", &text}, {"Nullable(Int32)", (*int32)(nil)}, {"LowCardinality(String)", "MX-LAND"},
				{"LowCardinality(Nullable(String))", (*string)(nil)}, {"Array(String)", []string{"a", ""}}, {"Array(Array(Nullable(Int32)))", [][]*int32{{&number, nil}, {}}},
				{"Array(LowCardinality(String))", []string{"x", "y", "x"}}, {"Map(String, UInt64)", map[string]uint64{"k": 1}},
				{"Map(LowCardinality(String), Array(UInt8))", map[string][]uint8{"k": {1, 2}}},
				{"Tuple(a String, b Nullable(Int32))", map[string]any{"a": "x", "b": &number}},
				{"Tuple(Int64, String)", []any{int64(7), "z"}}, {"SimpleAggregateFunction(sum, UInt64)", uint64(9)}, {"Nullable(DateTime64(3))", (*time.Time)(nil)},
				{"Variant(Int64, String)", clickhouse.NewVariantWithType("v", "String")}, {"Dynamic", clickhouse.NewDynamicWithType(int64(5), "Int64")},
			}
			for i, v := range values {
				table := fmt.Sprintf("v%d", i)
				exec(t, c, "CREATE TABLE "+table+" (k UInt8, v "+v.typ+") ENGINE = MergeTree ORDER BY k")
				batch, err := c.PrepareBatch(t.Context(), "INSERT INTO "+table)
				if err != nil {
					t.Fatalf("%s: %v", v.typ, err)
				}
				for k := range 3 {
					if err := batch.Append(uint8(k), v.value); err != nil {
						t.Fatalf("%s: append: %v", v.typ, err)
					}
				}
				if err := batch.Send(); err != nil {
					t.Fatalf("%s: send: %v", v.typ, err)
				}
				rows, err := c.Query(t.Context(), "SELECT v FROM "+table+" WHERE k = 2")
				if err != nil {
					t.Fatalf("%s: %v", v.typ, err)
				}
				got := reflect.New(reflect.TypeOf(v.value))
				if !rows.Next() {
					t.Fatalf("%s: no row: %v", v.typ, rows.Err())
				}
				if err := rows.Scan(got.Interface()); err != nil {
					t.Fatalf("%s: scan: %v", v.typ, err)
				}
				if err := rows.Close(); err != nil {
					t.Fatalf("%s: close: %v", v.typ, err)
				}
				if !equal(got.Elem().Interface(), v.value) {
					t.Errorf("%s: got %v, want %v", v.typ, got.Elem().Interface(), v.value)
				}
			}
		})
	}
}

func equal(got, want any) bool {
	switch w := want.(type) {
	case time.Time:
		return got.(time.Time).Equal(w)
	case decimal.Decimal:
		return got.(decimal.Decimal).Equal(w)
	case net.IP:
		return got.(net.IP).Equal(w)
	case big.Int:
		g := got.(big.Int)
		return g.Cmp(&w) == 0
	case fmt.Stringer: // Variant and Dynamic keep how they were made beside their value
		return fmt.Sprint(got) == fmt.Sprint(want)
	}
	return reflect.DeepEqual(got, want)
}

// JSON travels as text both ways and as an object back.
func TestJSON(t *testing.T) {
	c := open(t)
	exec(t, c, "CREATE TABLE j (k UInt8, j JSON(n Int32)) ENGINE = MergeTree ORDER BY k")
	batch, err := c.PrepareBatch(t.Context(), "INSERT INTO j")
	if err != nil {
		t.Fatal(err)
	}
	for k := range 2 {
		if err := batch.Append(uint8(k), `{"n": 63, "post": {"code": "L-COR"}, "list": [1, 2]}`); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var got clickhouse.JSON
	if err := c.QueryRow(t.Context(), "SELECT j FROM j WHERE k = 1").Scan(&got); err != nil {
		t.Fatal(err)
	}
	code, _ := clickhouse.ExtractJSONPathAs[string](&got, "post.code")
	n, _ := clickhouse.ExtractJSONPathAs[int32](&got, "n")
	if code != "L-COR" || n != 63 {
		t.Errorf("got %v", got.NestedMap())
	}
	if v := one[string](t, c, "SELECT j.post.code::String FROM j LIMIT 1"); v != "L-COR" {
		t.Errorf("got %q", v)
	}
}

// A column whose bytes cannot be delimited is refused by name, and the connection serves on.
func TestUnsupportedTypeIsRefused(t *testing.T) {
	c := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	_, err := c.Query(t.Context(), "SELECT sumState(number) AS state, 1 AS x FROM numbers(3)")
	if code := codeOf(err); code != 48 {
		t.Errorf("got %v", err)
	}
	if n := one[uint64](t, c, "SELECT finalizeAggregation(sumState(number)) FROM numbers(3)"); n != 3 {
		t.Errorf("got %d", n)
	}
}

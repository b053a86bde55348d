package register

import (
	"fmt"
	"strings"

	"retorno/schemas/tables"
)

// eventsPerReturn is about how many events a register of hard mess has for each registered return.
const eventsPerReturn = 5.3

// LoadTable is a table to make a load from: a register of hard mess made from it has about so many events. Its shares are
// round numbers near those that were published for 2016.
func LoadTable(events int) (*tables.Table, error) {
	returns := max(20, int(float64(events)/eventsPerReturn))
	var b strings.Builder
	b.WriteString("table_id,system,period_start,period_end,as_of,block,category,value,status,source\n")
	row := func(block, category string, value int) {
		fmt.Fprintf(&b, "LOAD,made,2016-01-01,2016-06-30,2016-08,%s,%s,%d,published,made\n", block, category, value)
	}
	share := func(percent int) int { return returns * percent / 100 }
	row("total", "TOTAL", returns)
	row("country", "MX", share(60))
	row("country", "US", share(35))
	row("country", "OTHER", returns-share(60)-share(35))
	row("exit_point", "L-COR", share(63))
	return tables.Read(strings.NewReader(b.String()), "LOAD")
}

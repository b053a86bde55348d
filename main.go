// Command retorno counts the people returned to Honduras: from events of border posts and reception centres, through
// Kafka, to tables in ClickHouse. See README.md, or run it with --help.
package main

import (
	"os"

	"retorno/deploy/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }

package command

import (
	"context"
	"encoding/json"
	"fmt"
)

type migrateCommand struct {
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	JSON       bool            `name:"json" per:"call" help:"The applied steps as JSON."`
}

// Help is the longer text of --help.
func (migrateCommand) Help() string {
	return helpText("Creates the databases retorno and ceniss in ClickHouse, or brings them to what this build needs: numbered steps, each applied once and never changed afterwards, then code lists and views. Running it again changes nothing; two at a time do no harm.",
		"retorno migrate", "retorno migrate --clickhouse-addr=db:9000 --clickhouse-user=retorno --clickhouse-password-file=/run/secrets/clickhouse")
}

// Run applies the missing steps and names them.
func (c *migrateCommand) Run(ctx context.Context, t *terminal) error {
	s, err := c.ClickHouse.open(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	applied, err := s.Migrate(ctx)
	if err == nil {
		err = warnOfZone(ctx, s, t.Log)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(map[string][]string{"applied": append([]string{}, applied...)})
	}
	for _, step := range applied {
		if _, err := fmt.Fprintln(t.Out, "applied "+step); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(t.Out, "the schema at %s is up to date (%d steps applied now)\n", c.ClickHouse.Addr, len(applied))
	return err
}

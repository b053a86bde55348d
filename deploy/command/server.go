//go:build server

package command

import "retorno/consumers/dissemination/release"

// laboratory has no commands in the program of a release.
type laboratory struct{}

// startOne is advice to a person without a Kafka or a ClickHouse: nothing in this program is one.
const startOne = ""

// failpoints has no settings in the program of a release.
type failpoints struct{}

func (failpoints) hook() func(table string) { return nil }

func (failpoints) on(conn release.Conn) release.Conn { return conn }

package command

import (
	"encoding/json"
	"fmt"
	"runtime"
)

type versionCommand struct {
	JSON bool `name:"json" per:"call" help:"As JSON."`
}

// Help is the longer text of --help.
func (versionCommand) Help() string {
	return helpText("Prints the version, which is the git description of what was built, the Go release and the platform.",
		"retorno version --json")
}

// Run prints the build.
func (c *versionCommand) Run(t *terminal) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(map[string]string{"version": version, "go": runtime.Version(), "platform": platform})
	}
	_, err := fmt.Fprintf(t.Out, "%s %s %s %s\n", program, version, runtime.Version(), platform)
	return err
}

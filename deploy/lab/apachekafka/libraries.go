package apachekafka

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"path/filepath"

	"retorno/deploy/lab/embedded/fetchonce"
	"retorno/deploy/lab/jars"
)

// pom names the program's parts and pins their versions.
//
//go:embed pom.xml
var pom []byte

// Fetch returns the folder with the program's jars, and has Maven fetch them when they are not there yet. tell hears
// how many bytes have come; it may be nil.
func Fetch(ctx context.Context, tell func(bytes int64)) (string, error) {
	const name = "kafka"
	kept := fetchonce.Folder{
		// Another pom is another set of jars.
		Name:  fmt.Sprintf("kafka/%s-%.8x", Version, sha256.Sum256(pom)),
		Proof: filepath.Join(name, "kafka_2.13-"+Version+".jar"),
		Fill: func(ctx context.Context, dir string) error {
			return jars.Fetch(ctx, dir, map[string][]byte{name: pom}, tell)
		},
	}
	dir, err := kept.Path(ctx)
	return filepath.Join(dir, name), err
}

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// endpoints are the addresses at which a running system answers. The JSON names are held on to by others.
type endpoints struct {
	Kafka            string `json:"kafka"`
	ClickHouseNative string `json:"clickhouse_native"`
	ClickHouseHTTP   string `json:"clickhouse_http"`
	Web              string `json:"web,omitempty"`
	Metrics          string `json:"metrics,omitempty"`
}

// print writes the addresses for people.
func (e endpoints) print(w io.Writer) error {
	for _, line := range [][2]string{
		{"kafka", e.Kafka}, {"clickhouse (native)", e.ClickHouseNative}, {"clickhouse (http)", e.ClickHouseHTTP}, {"web", e.Web}, {"metrics", e.Metrics},
	} {
		if line[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-20s %s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return nil
}

// write puts the addresses into a file that is either whole or not there.
func (e endpoints) write(path string) error { return writeEndpoints(path, e) }

func writeEndpoints(path string, addresses any) error {
	text, err := json.MarshalIndent(addresses, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".endpoints-*")
	if err != nil {
		return fmt.Errorf("write endpoints: %w", err)
	}
	_, err = temporary.Write(append(text, '\n'))
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write endpoints: %w", err), os.Remove(temporary.Name()))
	}
	return nil
}

// removeEndpoints takes away the addresses of a system that no longer runs.
func removeEndpoints(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove old endpoints: %w", err)
	}
	return nil
}

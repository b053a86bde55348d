package clients_test

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"retorno/deploy/lab/clients"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
)

// engine serves all tests of the package.
var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

// need finds a tool of this machine or fails by its name.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("%s is not installed, and this test needs it", tool)
	}
	return path
}

// call runs a program that must succeed and say ok as its last word but for a version.
func call(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	out, err := output(t, dir, program, args...)
	if err != nil || !strings.Contains(out, "ok") {
		t.Errorf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
}

func output(t *testing.T, dir, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func TestCurl(t *testing.T) {
	need(t, "curl")
	call(t, ".", need(t, "sh"), "curl.sh", "http://"+engine.HTTP())
}

func TestClickHouseDriver(t *testing.T) {
	host, port := split(t, engine.Native())
	call(t, ".", python(t), "-I", "native_driver.py", host, port)
}

func TestClickHouseConnect(t *testing.T) {
	host, port := split(t, engine.HTTP())
	call(t, ".", python(t), "-I", "http_connect.py", host, port)
}

func split(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// JDBC, as BI tools use it, in the generation that is in the field and in the newest.
func TestJDBC(t *testing.T) {
	java := need(t, "java")
	jars, err := clients.JDBC(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []string{"old", "new"} {
		t.Run(generation, func(t *testing.T) {
			call(t, ".", java, "-cp", filepath.Join(jars, generation, "*"), filepath.Join("jdbc", "Check.java"), engine.HTTP())
		})
	}
}

// python returns the interpreter of an environment with the pinned packages.
func python(t *testing.T) string {
	t.Helper()
	interpreter, err := clients.Python(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return interpreter
}

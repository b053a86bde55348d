package command

import (
	"strings"
	"testing"
)

// Flag, environment, file, default: each source is taken away in turn, and the next one holds.
func TestPrecedenceOfSettings(t *testing.T) {
	file := writeFile(t, "retorno.yaml", "log-level: error\nkafka-brokers: [file-1:9092, file-2:9092]\n")
	environ := map[string]string{"RETORNO_LOG_LEVEL": "warn", "RETORNO_KAFKA_BROKERS": "env-1:9092,env-2:9092"}
	for _, c := range []struct {
		name    string
		environ map[string]string
		args    []string
		want    []string
	}{
		{"flag", environ, []string{"--config", file, "--log-level=debug", "--kafka-brokers=flag:9092"},
			[]string{"log-level: debug # flag", "kafka-brokers: ['flag:9092'] # flag"}},
		{"environment", environ, []string{"--config", file},
			[]string{"log-level: warn # RETORNO_LOG_LEVEL", "kafka-brokers: ['env-1:9092', 'env-2:9092'] # RETORNO_KAFKA_BROKERS"}},
		{"file", nil, []string{"--config", file},
			[]string{"log-level: error # " + file + " line 1", "kafka-brokers: ['file-1:9092', 'file-2:9092'] # " + file + " line 2"}},
		{"file named by the environment", map[string]string{"RETORNO_CONFIG": file}, nil,
			[]string{"log-level: error # " + file + " line 1"}},
		{"an empty variable is none", map[string]string{"RETORNO_LOG_LEVEL": ""}, []string{"--config", file},
			[]string{"log-level: error # " + file + " line 1"}},
		{"default", nil, nil,
			[]string{"log-level: info # default", "kafka-brokers: ['127.0.0.1:9092'] # default"}},
	} {
		r := try(t, "", c.environ, append([]string{"send", "-", "--print-config"}, c.args...)...)
		if r.status != exitDone {
			t.Errorf("%s: status %d %s", c.name, r.status, r.err)
		}
		for _, w := range c.want {
			if !strings.Contains(r.out, w+"\n") {
				t.Errorf("%s: lacks %q in\n%s", c.name, w, r.out)
			}
		}
	}
}

// One file serves all commands; what stands below a command's name is for that command alone.
func TestSectionOfACommandOutweighsTheRestOfTheFile(t *testing.T) {
	file := writeFile(t, "retorno.yaml", "send:\n  kafka-partitions: 3\nkafka-partitions: 5\n")
	for command, want := range map[string]string{"send": "3 # " + file + " line 2", "deadletter": "5 # " + file + " line 3"} {
		args := []string{command, "-"}
		if command == "deadletter" {
			args = []string{command, "list"}
		}
		r := try(t, "", nil, append(args, "--print-config", "--config", file)...)
		if !strings.Contains(r.out, "kafka-partitions: "+want) {
			t.Errorf("%s: %s%s", command, r.out, r.err)
		}
	}
	for text, want := range map[string]string{
		"send:\n  clickhouse-addr: a:9000\n": "line 2: no setting is called clickhouse-addr", // send has no such thing
		"sent:\n  kafka-partitions: 3\n":     "line 1: no setting is called sent",
		"send: 3\n":                          "line 1: no setting is called send",
	} {
		if r := try(t, "", nil, "send", "-", "--config", writeFile(t, "c.yaml", text)); r.status != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

// What --print-config shows, --config reads, and means the same.
func TestPrintedConfigIsAConfigFile(t *testing.T) {
	first := try(t, "", map[string]string{"RETORNO_CLICKHOUSE_PASSWORD": "s3cret"},
		"migrate", "--print-config", "--clickhouse-addr=a:9000", "--clickhouse-user=ana", "--log-level=warn")
	if first.status != exitDone {
		t.Fatal(first.err)
	}
	file := writeFile(t, "printed.yaml", first.out)
	second := try(t, "", nil, "migrate", "--print-config", "--config", file)
	for _, w := range []string{"clickhouse-addr: a:9000 # " + file, "clickhouse-user: ana # " + file, "log-level: warn # " + file} {
		if !strings.Contains(second.out, w) {
			t.Errorf("lacks %q in\n%s\n%s", w, second.out, second.err)
		}
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	environ := map[string]string{"RETORNO_CLICKHOUSE_PASSWORD": "s3cret"}
	r := try(t, "", environ, "migrate", "--print-config")
	if strings.Contains(r.out+r.err, "s3cret") || !strings.Contains(r.out, "clickhouse-password: ******** # RETORNO_CLICKHOUSE_PASSWORD") {
		t.Errorf("%s%s", r.out, r.err)
	}
	r = try(t, "", nil, "migrate", "--clickhouse-password=s3cret")
	if r.status != exitUsage || strings.Contains(r.err, "s3cret") || !strings.Contains(r.err, "--clickhouse-password-file") {
		t.Errorf("a secret on the command line: %+v", r)
	}
	file := writeFile(t, "c.yaml", "clickhouse-password: s3cret\n")
	r = try(t, "", nil, "migrate", "--config", file)
	if r.status != exitUsage || strings.Contains(r.err, "s3cret") || !strings.Contains(r.err, "RETORNO_CLICKHOUSE_PASSWORD") {
		t.Errorf("a secret in the file: %+v", r)
	}
}

func TestFaultsOfAConfigFileAreNamedByKeyAndLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"log-level: info\nkafka-borkers: [a:9092]\n", "line 2: no setting is called kafka-borkers; did you mean kafka-brokers?"},
		{"kafka_brokers: [a:9092]\n", "line 1: no setting is called kafka_brokers; did you mean kafka-brokers?"},
		{"zzzzzz: 1\n", "line 1: no setting is called zzzzzz"},
		{"print-config: true\n", "no setting is called print-config"},
		{"log-level: loud\n", "line 1: log-level: must be one of debug, info, warn, error"},
		{"log-level: info\nlog-level: warn\n", "line 2: log-level stands on line 1 already"},
		{"kafka-brokers: {a: b}\n", "line 1: kafka-brokers: must be a value or a list of values"},
		{"log-level:\n", "line 1: log-level: has no value"},
		{"- a\n", "line 1: expected keys with values"},
		{"a: [\n", "line 1"},
		{"kafka-partitions: many\n", "line 1: kafka-partitions: "}, // a setting of another command is checked as well
	} {
		file := writeFile(t, "retorno.yaml", c.text)
		r := try(t, "", nil, "version", "--config", file)
		if r.status != exitUsage || !strings.Contains(r.err, c.want) || !strings.Contains(r.err, file) {
			t.Errorf("%q: status %d, %q lacks %q", c.text, r.status, r.err, c.want)
		}
	}
	r := try(t, "", nil, "version", "--config", "/no/such/file.yaml")
	if r.status != exitUsage || !strings.Contains(r.err, "/no/such/file.yaml") {
		t.Errorf("no file: %+v", r)
	}
	if r := try(t, "", nil, "version", "--config", writeFile(t, "empty.yaml", "# nothing\n")); r.status != exitDone {
		t.Errorf("a file without settings: %+v", r)
	}
}

func TestFaultsOfTheEnvironmentAreNamed(t *testing.T) {
	r := try(t, "", map[string]string{"RETORNO_LOG_LEVEL": "loud"}, "version")
	if r.status != exitUsage || !strings.Contains(r.err, "RETORNO_LOG_LEVEL=loud: must be one of debug, info, warn, error") {
		t.Errorf("%+v", r)
	}
	r = try(t, "", map[string]string{"RETORNO_KAFKA_BROKER": "a:9092", "PATH": "/bin"}, "version")
	if r.status != exitDone || !strings.Contains(r.err, "no setting is called RETORNO_KAFKA_BROKER; did you mean RETORNO_KAFKA_BROKERS?") {
		t.Errorf("%+v", r)
	}
}

# Turns what `go test -bench` prints into JSON: one object for each benchmark, with a key for each unit.
# Usage: go test -bench . ./… | tee /dev/stderr | awk -f deploy/benchjson.awk
BEGIN { printf "[" }
/^pkg: / { package = $2 }
/^Benchmark/ && NF >= 4 {
  printf "%s\n  {\"package\": \"%s\", \"name\": \"%s\", \"iterations\": %s", (n++ ? "," : ""), package, $1, $2
  for (i = 3; i < NF; i += 2) printf ", \"%s\": %s", $(i + 1), $i
  printf "}"
}
/^(FAIL|---? FAIL|panic:)/ { failed = 1 }
END { print "\n]"; exit failed }

package session

import (
	"encoding/json"
	"fmt"
	"strings"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/sqltext"
)

// The engine asks for a right of its own before most functions, engines and sources that reach files, other computers or
// programs, and no user is given one. For some it asks for none. Those are refused here by name: of the engine's own
// lists of table functions and engines, all but the ones below, so that what a later engine adds is refused as well.

// insideFunctions are the table functions that stay inside the engine.
const insideFunctions = `numbers numbers_mt zeros zeros_mt primes generateRandom generateSeries generate_series values SQLStandardValues null
	input format view viewIfPermitted viewExplain merge loop dictionary mergeTreeIndex mergeTreeProjection mergeTreeTextIndex
	mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID fuzzQuery fuzzJSON timeSeriesSelector timeSeriesMetrics timeSeriesTags timeSeriesData`

// insideEngines are the engines of tables and databases that stay inside the engine.
const insideEngines = `MergeTree ReplacingMergeTree SummingMergeTree AggregatingMergeTree CollapsingMergeTree VersionedCollapsingMergeTree
	CoalescingMergeTree GraphiteMergeTree Memory Log TinyLog StripeLog Null View MaterializedView WindowView Buffer Join Set Merge Alias Loop
	GenerateRandom FuzzQuery FuzzJSON TimeSeries Dictionary Atomic Ordinary`

// outsideWords are functions that reach outside wherever they stand, also as the argument of APPLY.
const outsideWords = `file catboostEvaluate aiClassify aiExtract aiGenerate aiTranslate`

// outside are names, in lower case, that a statement may not use.
type outside struct {
	functions map[string]bool // before a bracket
	engines   map[string]bool // after ENGINE
	words     map[string]bool // anywhere
}

// outsideOf asks the engine for its functions and engines.
func outsideOf(root *chdb.Conn) (outside, error) {
	functions, err := allBut(root, "SELECT name FROM system.table_functions", insideFunctions)
	if err != nil {
		return outside{}, err
	}
	functions["disk"] = true // SETTINGS disk = disk(type = s3, …)
	engines, err := allBut(root, "SELECT name FROM system.table_engines UNION ALL SELECT name FROM system.database_engines", insideEngines)
	if err != nil {
		return outside{}, err
	}
	return outside{functions: functions, engines: engines, words: set(outsideWords)}, nil
}

func allBut(root *chdb.Conn, query, inside string) (map[string]bool, error) {
	r, err := root.Query(query, "JSONCompactEachRow")
	if err != nil {
		return nil, fmt.Errorf("ask the engine what it has: %w", err)
	}
	names, allowed := map[string]bool{}, set(inside)
	for line := range strings.Lines(string(r.Data)) {
		var row [1]string
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, fmt.Errorf("read what the engine has: %w", err)
		}
		if name := strings.ToLower(row[0]); !allowed[name] {
			names[name] = true
		}
	}
	return names, nil
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[strings.ToLower(word)] = true
	}
	return all
}

// refused gives the error for a statement that would reach outside, else nil.
func (o outside) refused(sql string, tokens []sqltext.Token) error {
	if first := sqltext.First(sql); len(o.words) > 0 && (first == "BACKUP" || first == "RESTORE") {
		return reachesOutside(first)
	}
	for i, t := range tokens {
		if t.Kind != sqltext.Word && t.Kind != sqltext.Quoted {
			continue
		}
		name := strings.ToLower(sqltext.Value(sql, t))
		called := i+1 < len(tokens) && tokens[i+1].IsPunct(sql, '(')
		if o.words[name] || called && o.functions[name] || o.engines[name] && named(sql, tokens[:i]) {
			return reachesOutside(name)
		}
	}
	return nil
}

// named reports whether what follows these tokens is the name of an engine: ENGINE = name.
func named(sql string, before []sqltext.Token) bool {
	n := len(before)
	if n > 0 && before[n-1].IsPunct(sql, '=') {
		n--
	}
	return n > 0 && before[n-1].Is(sql, "ENGINE")
}

func reachesOutside(name string) error {
	return denied(name + " reaches files, other computers or programs of this machine, which is shut in this engine (retorno embedded --clickhouse-outside opens it)")
}

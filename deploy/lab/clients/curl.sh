#!/bin/sh
# curl against the embedded engine: curl.sh http://HOST:PORT
# Ends with status 0 when everything is as it is with a ClickHouse server.
set -eu
url=$1

same() { # WHAT GOT WANT
	if [ "$2" != "$3" ]; then
		printf '%s: got\n%s\nwant\n%s\n' "$1" "$2" "$3" >&2
		exit 1
	fi
}

sql() { curl -sS --fail-with-body "$url/" --data-binary "$1"; }

same ping "$(curl -sS "$url/ping")" Ok.
same get "$(curl -sS "$url/?query=SELECT%201")" 1
same post "$(sql 'SELECT 1 + 1')" 2
same basic "$(curl -sS --fail-with-body -u default: "$url/?query=SELECT%201")" 1
same wrong "$(curl -sS -o /dev/null -w '%{http_code}' -u default:wrong "$url/?query=SELECT%201")" 403
same missing "$(curl -sS -w ' %{http_code}' "$url/?query=SELECT+*+FROM+nosuch" | sed 's/ (version.*)//' | tr -d '\n')" \
	"Code: 60. DB::Exception: Unknown table expression identifier 'nosuch' in scope SELECT * FROM nosuch. (UNKNOWN_TABLE) 404"
same readonly "$(curl -sS "$url/?query=CREATE+TABLE+x+(a+Int8)+ENGINE=Memory" | cut -c1-10)" 'Code: 164.'

sql 'CREATE OR REPLACE TABLE curl_t (post String, n UInt32) ENGINE = MergeTree ORDER BY post'
sql "INSERT INTO curl_t VALUES ('L-COR', 63)"
printf 'L-AMA,2\nL-OMO,1\n' | curl -sS --fail-with-body "$url/?query=INSERT%20INTO%20curl_t%20FORMAT%20CSV" --data-binary @-
printf '{"post":"A-SAP","n":30}\n' | gzip | curl -sS --fail-with-body -H 'Content-Encoding: gzip' "$url/?query=INSERT%20INTO%20curl_t%20FORMAT%20JSONEachRow" --data-binary @-
same csv "$(sql 'SELECT * FROM curl_t ORDER BY n DESC FORMAT CSVWithNames')" '"post","n"
"L-COR",63
"A-SAP",30
"L-AMA",2
"L-OMO",1'
same json "$(sql 'SELECT sum(n) AS n FROM curl_t FORMAT JSONEachRow')" '{"n":96}'
same parameter "$(curl -sS --fail-with-body "$url/?param_post=L-COR" --data-binary 'SELECT n FROM curl_t WHERE post = {post:String}')" 63
same setting "$(curl -sS --fail-with-body "$url/?max_threads=3" --data-binary "SELECT getSetting('max_threads')")" 3
same compressed "$(curl -sS --fail-with-body --compressed "$url/?enable_http_compression=1" --data-binary 'SELECT count() FROM curl_t')" 4
same file "$(sql 'SELECT * FROM curl_t FORMAT Parquet' | curl -sS --fail-with-body "$url/?query=INSERT%20INTO%20curl_t%20FORMAT%20Parquet" --data-binary @- && sql 'SELECT count() FROM curl_t')" 8
same session "$(curl -sS "$url/?session_id=curl" --data-binary 'CREATE TEMPORARY TABLE m AS SELECT 5 AS x' && curl -sS "$url/?session_id=curl" --data-binary 'SELECT x FROM m')" 5
same head "$(curl -sS -I "$url/?query=SELECT+1" | grep -ci '^X-ClickHouse-Query-Id: ')" 1
same format "$(curl -sS -o /dev/null -D - "$url/?query=SELECT+1&default_format=JSON" | grep -i '^X-ClickHouse-Format' | tr -d '\r')" 'X-ClickHouse-Format: JSON'
same rows "$(curl -sS "$url/?query=SELECT+number+FROM+numbers(1000000)" | tail -1)" 999999
echo ok

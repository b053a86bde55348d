"""pandas and clickhouse-connect on a computer of another time zone: python zones.py HOST PORT

Prints a line, name and value, for each way to ask; the time zone is that of TZ.
"""
import datetime
import io
import sys
import zoneinfo

import clickhouse_connect
import pandas

HONDURAS = zoneinfo.ZoneInfo('America/Tegucigalpa')
DAY = datetime.date(2016, 6, 30)
MIDNIGHT = datetime.datetime(2016, 7, 1, tzinfo=HONDURAS)
client = clickhouse_connect.get_client(host=sys.argv[1], port=int(sys.argv[2]), database='ceniss')


def count(name, what, value):
    print(name, client.query('SELECT count() FROM ' + what, parameters={'v': value}).first_row[0])


for name, value in (('date', DAY), ('string', str(DAY))):
    count('on.' + name, 'returns WHERE day = %(v)s', value)
    count('until.' + name, "returns WHERE half_year = '2016-S1' AND day <= %(v)s", value)
count('on.typed', 'returns WHERE day = {v:Date}', DAY)
count('before.datetime', 'sources WHERE last_seen < %(v)s', MIDNIGHT)
count('before.Timestamp', 'sources WHERE last_seen < %(v)s', pandas.Timestamp(MIDNIGHT))
count('before.typed', "sources WHERE last_seen < {v:DateTime64(3, 'America/Tegucigalpa')}", MIDNIGHT)
count('before.string', 'sources WHERE last_seen < %(v)s', '2016-07-01 00:00:00')
days = client.query_df('SELECT day, count() AS n FROM returns GROUP BY day ORDER BY day')
for day, n in zip(days.day, days.n):
    print(f'read.{day.date()} {n}')
seen = client.query_df('SELECT source, last_seen FROM sources ORDER BY source')
for source, at in zip(seen.source, seen.last_seen):
    print(f'read.{source} {at.tz_convert("UTC"):%Y-%m-%dT%H:%M:%SZ} {at:%Y-%m-%dT%H:%M}')
# The same as CSV, as spreadsheets, R (readr) and pandas read it: text, which says no zone.
for sql in ('SELECT day, count() AS n FROM returns GROUP BY day ORDER BY day', 'SELECT source, last_seen FROM sources ORDER BY source'):
    text = client.raw_query(sql, fmt='CSVWithNames').decode()
    frame = pandas.read_csv(io.StringIO(text), parse_dates=[0 if 'day' in sql else 1])
    for row in frame.itertuples(index=False):
        print('csv.' + ' '.join(str(cell) for cell in row))

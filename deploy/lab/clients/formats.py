"""Programs that others wrote against the forms of a vintage's tables: python formats.py BASE

pyjstat, libhxl, csvw and pyarrow read every table of every vintage at BASE, each in its own form. Ends with status 0 when
each of them has the cells of the vintage's file, and with the failed assertion else.
"""
import csv
import io
import json
import sys
import urllib.parse
import urllib.request

import csvw
import hxl
import pyarrow
import pyarrow.parquet
from pyjstat import pyjstat

BASE = sys.argv[1]


def fetch(path):
    with urllib.request.urlopen(BASE + path) as answer:
        return answer.read()


def cells(path):
    """The cells of a vintage's file: codes, count or None, status."""
    rows = list(csv.DictReader(io.StringIO(fetch(path).decode())))
    columns = list(rows[0])[:list(rows[0]).index('obs_value')]
    return columns, {tuple(r[c] for c in columns): (int(r['obs_value']) if r['obs_value'] else None, r['obs_status']) for r in rows}


def json_stat(url, columns, want):
    dataset = pyjstat.Dataset.read(url)
    frame = dataset.write('dataframe', naming='id')
    assert list(frame.columns) == columns + ['value'], list(frame.columns)
    status = dataset['status']
    got = {}
    for place, row in enumerate(frame.itertuples(index=False)):
        if status[place] is not None:
            got[tuple(row[:-1])] = (None if row[-1] != row[-1] else int(row[-1]), status[place])
        else:
            assert row[-1] != row[-1], row
    assert got == want, (url, got, want)
    assert dataset['role']['time'] == ['time_period'] and dataset['extension']['vintage'] in url, url


def tagged(url, columns, want):
    options = hxl.InputOptions(allow_local=True)
    source = hxl.data(url, options)
    found = []
    source.validate(callback=lambda error: found.append(error.message))
    assert all('outlier' in message for message in found), (url, found)  # a count far from the others is no fault of the file
    at = {c.header: i for i, c in enumerate(source.columns)}
    value = next(i for i, c in enumerate(source.columns) if c.tag in ('#affected', '#reached', '#output', '#indicator'))
    got = {}
    for row in hxl.data(url, options):
        count = row.values[value]
        got[tuple(row.values[at[c]] for c in columns)] = (int(count) if count else None, row.get('#status+code'))
    assert got == want, (url, got, want)
    sums = hxl.data(url, options).count('#status+code', ['sum(%s) as Sum#meta+sum' % source.columns[value].display_tag])
    assert sum(int(float(r.get('#meta+sum') or 0)) for r in sums) == sum(v for v, _ in want.values() if v is not None), url


def described(url, columns, want):
    """Nothing but the address of the CSV is given: its metadata is found by the Link header."""
    table = csvw.CSVW(url, validate=True)
    assert table.is_valid and not table.no_metadata, (url, table.warnings)
    got = {}
    for row in table.tables[0].iterdicts():
        got[tuple(row[c] for c in columns)] = (row['obs_value'], row['obs_status'])
    assert got == want, (url, got, want)


def columnar(body, columns, want):
    table = pyarrow.parquet.read_table(io.BytesIO(body))
    assert table.schema.field('obs_value').type == pyarrow.int64(), table.schema
    assert [name for name in table.column_names if name in columns] == columns, table.column_names
    got = {tuple(r[c] for c in columns): (r['obs_value'], r['obs_status']) for r in table.to_pylist()}
    assert got == want, (got, want)
    assert json.loads(table.schema.metadata[b'retorno'])['vintage'] in {r['vintage'] for r in table.to_pylist()}


def main():
    read = 0
    for vintage in json.loads(fetch('/vintages'))['vintages']:
        collection = pyjstat.Collection.read(BASE + vintage['bundle'] + 'tables')
        listed = [urllib.parse.urlsplit(item['href']).path for item in collection['link']['item']]
        assert listed == [vintage['bundle'] + 'tables/' + t['id'] for t in vintage['tables']], listed
        for table in vintage['tables']:
            columns, want = cells(table['csv'])
            address = vintage['bundle'] + 'tables/' + table['id'] + '?format='
            json_stat(BASE + address + 'jsonstat', columns, want)
            tagged(BASE + address + 'hxl', columns, want)
            described(BASE + table['csv'], columns, want)
            columnar(fetch(address + 'parquet'), columns, want)
            read += 1
    assert read > 20, read
    print('ok', read, 'tables')


main()

"""clickhouse-connect (HTTP) against the embedded engine: python http_connect.py HOST PORT

Ends with status 0 when everything is as it is with a ClickHouse server, else with the failed assertion.
"""
import datetime
import decimal
import ipaddress
import sys
import threading
import uuid

import clickhouse_connect
import pandas
import pyarrow
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

HOST, PORT = sys.argv[1], int(sys.argv[2])


def client(**options):
    return clickhouse_connect.get_client(host=HOST, port=PORT, **options)


def basics(compress):
    c = client(compress=compress)
    assert c.ping() and c.server_version.count('.') >= 2
    assert c.command('SELECT version()') == c.server_version
    c.command('DROP TABLE IF EXISTS http_t')
    c.command('CREATE TABLE http_t (a UInt32, b String, d DateTime64(3), n Nullable(Float64), l LowCardinality(String)) ENGINE = MergeTree ORDER BY a')
    now = datetime.datetime(2016, 6, 30, 23, 30, 0, 123000)
    summary = c.insert('http_t', [[1, 'one', now, None, 'x'], [2, 'dos ñ', now, 1.5, 'y']], column_names=['a', 'b', 'd', 'n', 'l'])
    assert summary.written_rows == 2, summary.summary
    r = c.query('SELECT * FROM http_t ORDER BY a')
    assert r.column_names == ('a', 'b', 'd', 'n', 'l')
    assert r.result_rows[1][:2] == (2, 'dos ñ') and r.result_rows[0][3] is None, r.result_rows
    # The client takes a time without a zone for UTC when it inserts, and shows moments in the server's zone.
    assert r.result_rows[0][2] == now.replace(tzinfo=datetime.timezone.utc) and r.result_rows[0][2].isoformat() == '2016-06-30T17:30:00.123000-06:00', r.result_rows
    assert int(r.summary['read_rows']) == 2, r.summary
    assert c.query('SELECT a FROM http_t WHERE a > 10').result_rows == []
    assert c.query('SELECT a FROM http_t WHERE a > 10').column_names == ('a',)
    assert c.query('SELECT {a:UInt8} + 1, {s:String}', parameters={'a': 41, 's': "O'Hara\\\t"}).first_row == (42, "O'Hara\\\t")
    assert c.query('SELECT b FROM http_t WHERE a = %(a)s', parameters={'a': 2}).first_item == {'b': 'dos ñ'}
    assert c.query("SELECT getSetting('max_threads')", settings={'max_threads': 3}).first_row == (3,)
    with c.query_row_block_stream('SELECT number, toString(number) FROM numbers(300000)') as stream:
        assert sum(len(block) for block in stream) == 300_000
    assert c.raw_query('SELECT 1 AS a FORMAT JSONEachRow') == b'{"a":1}\n'
    assert c.raw_query('SELECT 1 AS a', fmt='CSVWithNames') == b'"a"\n1\n'
    c.raw_insert('http_t', ['a', 'b'], b'7,seven\n', fmt='CSV')
    assert c.command('SELECT b FROM http_t WHERE a = 7') == 'seven'
    c.close()


def types():
    c = client()
    c.command('DROP TABLE IF EXISTS http_types')
    c.command('''CREATE TABLE http_types (i Int128, u UInt256, b Bool, fs FixedString(3), d Date, d32 Date32, dec Decimal(38, 10), id UUID, ip4 IPv4, ip6 IPv6,
        e Enum16('entry' = 1, 'exit' = 300), a Array(Array(Int8)), m Map(String, Array(UInt8)), t Tuple(String, Nullable(Int8)), lc LowCardinality(Nullable(String)),
        j JSON) ENGINE = MergeTree ORDER BY d''')
    row = [-2**100, 2**200, True, b'abc', datetime.date(2016, 2, 29), datetime.date(1925, 1, 1), decimal.Decimal('1.0000000001'), uuid.UUID(int=9),
           ipaddress.IPv4Address('1.2.3.4'), ipaddress.IPv6Address('2001:db8::1'), 'exit', [[1], []], {'k': [1, 2]}, ('x', None), None, {'post': 'L-COR', 'n': 63}]
    c.insert('http_types', [row, row])
    got = c.query('SELECT * FROM http_types').result_rows
    assert len(got) == 2 and list(got[0]) == row, (got[0], row)
    c.close()


def frames():
    c = client()
    frame = pandas.DataFrame({'n': range(1000), 's': [str(i) for i in range(1000)], 'd': pandas.date_range('2016-01-01', periods=1000, tz='America/Tegucigalpa')})
    c.command('CREATE OR REPLACE TABLE http_frame (n Int64, s String, d DateTime) ENGINE = MergeTree ORDER BY n')
    c.insert_df('http_frame', frame)
    back = c.query_df('SELECT * FROM http_frame ORDER BY n')
    assert back['n'].sum() == 499500 and back['s'].tolist() == frame['s'].tolist(), back
    assert back['d'].tolist() == frame['d'].tolist() and str(back['d'].iloc[-1]) == '2018-09-26 00:00:00-06:00', back
    table = c.query_arrow('SELECT n, s FROM http_frame ORDER BY n')
    assert isinstance(table, pyarrow.Table) and table.num_rows == 1000
    c.insert_arrow('http_frame', table.append_column('d', pyarrow.array([datetime.datetime(2020, 1, 1)] * 1000, pyarrow.timestamp('s'))))
    assert c.command('SELECT count() FROM http_frame') == 2000
    c.close()


def sessions():
    c = client(session_id='a session of a test')
    c.command('CREATE TEMPORARY TABLE mine (x UInt8)')
    c.insert('mine', [[1], [2]], column_names=['x'], column_type_names=['UInt8'])
    assert c.command('SELECT sum(x) FROM mine') == 3
    c.command('SET max_threads = 5')
    assert c.command("SELECT getSetting('max_threads')") == 5
    assert client(database='system').command('SELECT currentDatabase()') == 'system'
    data = ExternalData(file_name='posts.csv', fmt='CSV', structure=['code String', 'n UInt32'], data=b'L-COR,63\nL-AMA,2\n')
    assert client().query('SELECT sum(n) FROM posts', external_data=data).first_row == (65,)


def failures():
    c = client()
    for sql, code in (('SELECT * FROM nosuch', 60), ('SELEC 1', 62), ('SELECT nosuch', 47), ('SELECT throwIf(number = 5) FROM numbers(10)', 395)):
        try:
            c.query(sql)
        except DatabaseError as e:
            assert f'Code: {code}.' in str(e) or f'error code {code}' in str(e).lower(), e
        else:
            raise AssertionError(sql)
    for options in ({'password': 'wrong'}, {'username': 'stranger'}, {'database': 'nosuch'}):
        try:
            client(**options).query('SELECT 1')
        except DatabaseError:
            pass
        else:
            raise AssertionError(options)
    try:
        with c.query_row_block_stream('SELECT number, throwIf(number = 900000) FROM numbers(1000000)') as stream:
            for _ in stream:
                pass
    except Exception:
        pass
    else:
        raise AssertionError('a result that broke off was taken for a whole one')


def parallel():
    failed = []

    def one(i):
        try:
            c = client(autogenerate_session_id=i % 2 == 0)
            for _ in range(10):
                assert c.command(f'SELECT sum(number) + {i} FROM numbers(10000)') == 49995000 + i
        except Exception as e:
            failed.append(e)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not failed, failed


for method in (False, 'lz4', 'zstd', 'gzip', 'br'):
    basics(method)
types()
frames()
sessions()
failures()
parallel()
print('ok')

"""clickhouse-driver (native protocol) against the embedded engine: python native_driver.py HOST PORT

Ends with status 0 when everything is as it is with a ClickHouse server, else with the failed assertion.
"""
import datetime
import decimal
import ipaddress
import sys
import threading
import time
import uuid

import pandas
from clickhouse_driver import Client, connect, errors

HOST, PORT = sys.argv[1], int(sys.argv[2])


def client(**options):
    return Client(HOST, PORT, **options)


def types(compression):
    c = client(compression=compression)
    c.execute('DROP TABLE IF EXISTS drv_types')
    c.execute('''CREATE TABLE drv_types (i8 Int8, u64 UInt64, i128 Int128, u256 UInt256, f32 Float32, f64 Float64, b Bool, s String, fs FixedString(3),
        d Date, d32 Date32, dt DateTime('UTC'), dt64 DateTime64(6, 'America/Tegucigalpa'), dec Decimal(18, 4), u UUID, ip4 IPv4, ip6 IPv6,
        e Enum8('entry' = 1, 'exit' = 2), n Nullable(String), lc LowCardinality(String), lcn LowCardinality(Nullable(String)),
        a Array(Array(Nullable(Int32))), alc Array(LowCardinality(String)), m Map(String, UInt64), t Tuple(a Int32, b String), ne Nested(k String, v Int8)
        ) ENGINE = MergeTree ORDER BY u64''')
    row = (-5, 2**64 - 1, -2**100, 2**200, 1.5, 2.25, True, 'Choluteca ñ', 'abc',
           datetime.date(2016, 6, 30), datetime.date(1925, 1, 1), datetime.datetime(2016, 6, 30, 23, 30, tzinfo=datetime.timezone.utc),
           datetime.datetime(2016, 6, 30, 23, 30, 1, 123456, tzinfo=datetime.timezone(datetime.timedelta(hours=-6))), decimal.Decimal('63.0001'), uuid.UUID(int=7),
           ipaddress.IPv4Address('10.0.0.1'), ipaddress.IPv6Address('::1'), 'exit', None, 'MX-LAND', None,
           [[1, None], []], ['x', 'y', 'x'], {'a': 1}, (1, 'z'), ['k'], [1])
    assert c.execute('INSERT INTO drv_types VALUES', [row] * 3) == 3
    got = c.execute('SELECT * FROM drv_types')
    assert len(got) == 3, got
    assert got[0][:11] == row[:11], (got[0], row)
    # The engine's FORMAT Native leaves the zone of a DateTime out, so the driver shows the moment in the server's.
    assert got[0][11] == datetime.datetime(2016, 6, 30, 17, 30), got[0][11]
    assert got[0][12].isoformat() == '2016-06-30T23:30:01.123456-06:00', got[0][12]
    assert got[0][13:] == row[13:], (got[0][13:], row[13:])
    c.disconnect()


def values(compression):
    c = client(compression=compression)
    c.execute('DROP TABLE IF EXISTS drv')
    assert c.execute('CREATE TABLE drv (a UInt32, b String) ENGINE = MergeTree ORDER BY a') == []
    c.execute("INSERT INTO drv VALUES (1, 'one'), (2, upper('two'))")
    assert c.execute('SELECT * FROM drv ORDER BY a') == [(1, 'one'), (2, 'TWO')]
    assert c.execute('INSERT INTO drv (b, a) VALUES', [{'a': 3, 'b': 'three'}]) == 1
    c.execute('INSERT INTO drv (a, b) VALUES', [[4, 5], ['four', 'five']], columnar=True)
    assert c.execute('INSERT INTO drv SELECT number + 10, toString(number) FROM numbers(5)') is not None
    rows, columns = c.execute('SELECT a, b FROM drv WHERE a > 1000', with_column_types=True)
    assert rows == [] and columns == [('a', 'UInt32'), ('b', 'String')], (rows, columns)
    assert c.execute('SELECT count() FROM drv WHERE b = %(b)s', {'b': 'three'}) == [(1,)]
    big = [(i, 'x' * (i % 50)) for i in range(200_000)]
    assert c.execute('INSERT INTO drv VALUES', big) == 200_000
    assert c.execute('SELECT count(), uniqExact(a) FROM drv')[0][0] == 200_010
    assert sum(1 for _ in c.execute_iter('SELECT * FROM drv', settings={'max_block_size': 10_000})) == 200_010
    progress = c.execute_with_progress('SELECT sum(a) FROM drv')
    done = [rows for rows, total in progress]
    assert progress.get_result() and done and done[-1] == 200_010, done
    c.execute('SELECT * FROM drv LIMIT 5')
    assert c.last_query.profile_info.rows == 5 and c.last_query.elapsed > 0
    c.disconnect()


def settings_and_parameters():
    c = client(settings={'max_block_size': 7})
    assert c.execute("SELECT getSetting('max_block_size')") == [(7,)]
    assert c.execute("SELECT getSetting('max_threads')", settings={'max_threads': 3}) == [(3,)]
    assert c.execute("SELECT getSetting('max_threads') = 3") == [(0,)]
    c.execute('SET max_threads = 5')
    assert c.execute("SELECT getSetting('max_threads')", settings={'max_threads': 3}) == [(3,)]
    assert c.execute("SELECT getSetting('max_threads')") == [(5,)]
    p = client(settings={'server_side_params': True})
    assert p.execute('SELECT {a:UInt8} + 1, {s:String}', {'a': 41, 's': "O'Hara\\ \n"}) == [(42, "O'Hara\\ \n")]
    c.execute('CREATE TEMPORARY TABLE mine (x Int8)')
    c.execute('INSERT INTO mine VALUES', [(1,), (2,)])
    assert c.execute('SELECT sum(x) FROM mine') == [(3,)]
    external = [{'name': 'posts', 'structure': [('code', 'String'), ('n', 'Int32')], 'data': [{'code': 'L-COR', 'n': 63}, {'code': 'L-AMA', 'n': 2}]}]
    assert c.execute('SELECT sum(n) FROM posts WHERE code IN (SELECT code FROM posts)', external_tables=external) == [(65,)]
    totals = c.execute('SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k')
    assert totals == [(0, 5), (1, 5), (0, 10)], totals
    assert client(database='system').execute('SELECT currentDatabase()') == [('system',)]
    c.execute('USE system')
    assert c.execute('SELECT count() > 0 FROM one') == [(1,)]
    assert ('system',) in c.execute('SHOW DATABASES')
    assert c.execute("SHOW TABLES LIKE 'no such'", with_column_types=True) == ([], [('name', 'String')])


def failures():
    c = client()
    for sql, code in (('SELECT * FROM nosuch', errors.ErrorCodes.UNKNOWN_TABLE), ('SELEC 1', errors.ErrorCodes.SYNTAX_ERROR),
                      ('SELECT nosuch', 47), ('SELECT throwIf(number = 500000) FROM numbers(1000000)', 395), ('INSERT INTO nosuch VALUES', 60)):
        try:
            c.execute(sql, [(1,)]) if sql.startswith('INSERT') else c.execute(sql)
        except errors.ServerException as e:
            assert e.code == code, (sql, e.code, e.message)
        else:
            raise AssertionError(sql)
        assert c.execute('SELECT 1') == [(1,)], 'the connection serves on'
    for options, code in (({'password': 'wrong'}, 516), ({'user': 'stranger'}, 516), ({'database': 'nosuch'}, 81)):
        try:
            client(**options).execute('SELECT 1')
        except errors.ServerException as e:
            assert e.code == code, e
        else:
            raise AssertionError(options)
    try:
        c.execute('INSERT INTO drv VALUES', [('text', 1)])
    except errors.TypeMismatchError:
        pass
    assert client().execute('SELECT 1') == [(1,)]


def cancel():
    c = client()
    thread = threading.Timer(0.5, c.connection.send_cancel)
    thread.start()
    started = time.monotonic()
    try:
        c.execute('SELECT sum(cityHash64(number)) FROM numbers(1000000000000)')
    except errors.ServerException as e:
        assert e.code == 394, e
    thread.join()
    assert time.monotonic() - started < 20
    assert c.execute('SELECT 1') == [(1,)], 'the connection serves on'
    watcher = client()
    deadline = time.monotonic() + 10
    while watcher.execute("SELECT count() FROM system.processes WHERE query LIKE '%1000000000000%' AND query NOT LIKE '%processes%'") != [(0,)]:
        assert time.monotonic() < deadline, 'the statement still runs'


def interfaces():
    with connect(host=HOST, port=PORT) as connection, connection.cursor() as cursor:
        cursor.execute('SELECT number FROM numbers(3)')
        assert cursor.fetchall() == [(0,), (1,), (2,)] and cursor.description[0][0] == 'number'
    c = client(settings={'use_numpy': True}, compression='lz4')
    frame = c.query_dataframe("SELECT number AS n, toString(number) AS s, toDate('2016-01-01') + number AS d FROM numbers(1000)")
    assert list(frame.columns) == ['n', 's', 'd'] and frame['n'].sum() == 499500
    c.execute('CREATE OR REPLACE TABLE drv_frame (n Int64, s String) ENGINE = Memory')
    assert c.insert_dataframe('INSERT INTO drv_frame VALUES', pandas.DataFrame({'n': [1, 2], 's': ['a', 'b']})) == 2
    assert c.query_dataframe('SELECT * FROM drv_frame')['s'].tolist() == ['a', 'b']


def parallel():
    failed = []

    def one(i):
        try:
            c = client(compression=i % 2 == 0)
            for _ in range(20):
                assert c.execute('SELECT sum(number) + %d FROM numbers(10000)' % i) == [(49995000 + i,)]
        except Exception as e:
            failed.append(e)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not failed, failed


for method in (False, 'lz4', 'zstd'):
    types(method)
    values(method)
settings_and_parameters()
failures()
cancel()
interfaces()
parallel()
print('ok')

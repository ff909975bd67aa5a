"""psycopg2: two connections beside each other. It puts parameters into the text by itself and prepares nothing by protocol."""

import datetime
import decimal
import io
import select
import uuid

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras

from checks import MANY, OWNER, READER, Checks, equal, fails

psycopg2.extras.register_uuid()
checks = Checks()
reader = psycopg2.connect(READER)
a = psycopg2.connect(OWNER)
b = psycopg2.connect(OWNER)
a.autocommit = b.autocommit = True


def execute(connection, sql, parameters=None):
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    return cursor


def value(connection, sql, parameters=None):
    return execute(connection, sql, parameters).fetchone()[0]


def read_only():
    reader.set_session(readonly=True)
    equal(value(reader, "select count(*) > 6 from by_user"), True)
    fails(psycopg2.Error, lambda: execute(reader, "create table public.x (a int)"))
    reader.rollback()
    a.set_session(readonly=True)
    fails(psycopg2.errors.ReadOnlySqlTransaction, lambda: execute(a, "create table public.x (a int)"))
    equal(value(b, "show transaction_read_only"), "off")
    a.set_session(readonly=False)


def isolation():
    a.set_session(isolation_level="REPEATABLE READ")
    equal(value(a, "show transaction_isolation"), "repeatable read")
    equal(value(b, "show transaction_isolation"), "read committed")
    a.set_session(isolation_level="DEFAULT")


def settings():
    execute(a, "set work_mem = '9MB'")
    equal(value(a, "select set_config(%s, %s, false)", ("app.tenant", "blue")), "blue")
    equal(value(b, "select current_setting('app.tenant', true)") or None, None)
    equal(value(a, "select current_setting('app.tenant') || current_setting('work_mem')"), "blue9MB")


def prepared():
    execute(a, "prepare mine (int) as select $1 + 1")
    fails(psycopg2.errors.InvalidSqlStatementName, lambda: execute(b, "execute mine(1)"))
    equal(value(a, "execute mine(%s)", (41,)), 42)


def temporary():
    a.autocommit = False
    execute(a, "create temp table notes on commit drop as select generate_series(1, 3) as x")
    equal(value(a, "select sum(x) from notes"), 6)
    a.commit()
    a.autocommit = True
    equal(value(b, "select to_regclass('notes')"), None)


def cursor():
    a.autocommit = False
    portions = a.cursor("portions")
    portions.itersize = 100
    portions.execute("select generate_series(1, 1000)")
    equal(sum(row[0] for row in portions), 500500)
    portions.close()
    a.commit()
    a.autocommit = True
    equal(value(b, "select count(*) from pg_cursors"), 0)


def types():
    sent = (
        1,
        2**40,
        1.5,
        decimal.Decimal("12345678901234567890.0123456789"),
        "it's \"ü\" 🦆",
        True,
        None,
        datetime.date(2024, 2, 29),
        datetime.timedelta(days=1, seconds=2),
        uuid.UUID(int=7),
        [1, None, 3],
        ["a,b", '"', None],
    )
    row = execute(a, "select " + ", ".join(["%s"] * len(sent)), sent).fetchone()
    equal((row[0], row[1], float(row[2]), *row[3:]), sent)
    equal(bytes(value(a, "select %s", (psycopg2.Binary(b"\x00\xff"),))), b"\x00\xff")
    equal(value(a, "select %s::jsonb", (psycopg2.extras.Json({"a": 1}),)), {"a": 1})


def many():
    equal(value(a, "select count(*) from generate_series(1, 900) as n where n in %s", (tuple(MANY),)), 300)
    chain = " + ".join(["%s"] * 25000)
    fails(psycopg2.errors.StatementTooComplex, lambda: execute(a, f"select {chain}", [1] * 25000))
    equal(value(a, "select 1"), 1)


def errors():
    fails(psycopg2.errors.DivisionByZero, lambda: execute(a, "select 1 / 0"))
    fails(psycopg2.errors.UndefinedTable, lambda: execute(reader, "select * from nowhere"))
    fails(psycopg2.errors.InFailedSqlTransaction, lambda: execute(reader, "select 1"))
    reader.rollback()
    equal(value(a, "select 1") + value(reader, "select 2"), 3)
    reader.rollback()


def listen():
    execute(a, "listen news")
    execute(b, "notify news, 'first'")
    for _ in range(20):
        a.poll()
        if a.notifies:
            break
        select.select([a], [], [], 1)
    equal([each.payload for each in a.notifies], ["first"])
    b.poll()
    equal(b.notifies, [])


def copy():
    line = f"{uuid.uuid4()}\tpsycopg2\t1\n"
    a.cursor().copy_expert("copy segment_events (event_id, user_id, vendor) from stdin", io.StringIO(line))
    out = io.StringIO()
    reader.cursor().copy_expert("copy (select events from by_user where user_id = 'psycopg2') to stdout", out)
    reader.rollback()
    equal(out.getvalue(), "1\n")


for name, check in {
    "read only": read_only,
    "isolation": isolation,
    "settings": settings,
    "prepared statements": prepared,
    "temporary tables": temporary,
    "cursors": cursor,
    "types": types,
    "300 parameters": many,
    "errors": errors,
    "LISTEN": listen,
    "COPY": copy,
}.items():
    checks.run(name, check)
for connection in (reader, a, b):
    connection.close()

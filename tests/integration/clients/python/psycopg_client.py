"""psycopg 3: two connections beside each other."""

import datetime
import decimal
import uuid

import psycopg
from psycopg.types.json import Jsonb

from checks import MANY, OWNER, READER, Checks, equal, fails

checks = Checks()
reader = psycopg.connect(READER)
a = psycopg.connect(OWNER, autocommit=True)
b = psycopg.connect(OWNER, autocommit=True)


def value(connection, sql, parameters=None, **options):
    return connection.execute(sql, parameters, **options).fetchone()[0]


def read_only():
    reader.read_only = True
    equal(value(reader, "select count(*) > 6 from by_user"), True)
    fails(psycopg.Error, lambda: reader.execute("create table public.x (a int)"))
    reader.rollback()
    a.read_only = True
    with a.transaction():
        fails(psycopg.errors.ReadOnlySqlTransaction, lambda: a.execute("create table public.x (a int)"))
        raise psycopg.Rollback()
    a.read_only = None
    equal(value(b, "show transaction_read_only"), "off")


def isolation():
    a.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    with a.transaction():
        equal(value(a, "show transaction_isolation"), "serializable")
    a.isolation_level = None
    equal(value(b, "show transaction_isolation"), "read committed")


def settings():
    a.execute("set work_mem = '9MB'", prepare=True)
    equal(value(a, "select set_config(%s, %s, false)", ("app.tenant", "blue"), prepare=True), "blue")
    equal(value(b, "select current_setting('app.tenant', true)") or None, None)
    equal(value(b, "show work_mem") == "9MB", False)
    equal(value(a, "select current_setting('app.tenant') || current_setting('work_mem')"), "blue9MB")


def prepared():
    for number in range(3):
        equal(value(a, "select %s::int + 1", (number,), prepare=True), number + 1)
    a.execute("prepare mine as select 1")
    fails(psycopg.errors.InvalidSqlStatementName, lambda: b.execute("execute mine"))
    equal(value(a, "execute mine"), 1)


def temporary():
    with a.transaction():
        a.execute("create temp table notes (x int) on commit drop")
        a.execute("insert into notes select generate_series(1, %s)", (3,))
        equal(value(a, "select sum(x) from notes"), 6)
    equal(value(b, "select to_regclass('notes')"), None)


def cursor():
    with a.transaction(), a.cursor("portions") as portions:
        portions.itersize = 100
        portions.execute("select generate_series(1, %s)", (1000,))
        equal(sum(row[0] for row in portions), 500500)
    equal(value(b, "select count(*) from pg_cursors where name = 'portions'"), 0)


def types():
    sent = (
        1,
        2**40,
        1.5,
        decimal.Decimal("12345678901234567890.0123456789"),
        "it's \"ü\" 🦆",
        b"\x00\xff",
        True,
        None,
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=datetime.timezone.utc),
        datetime.timedelta(days=1, seconds=2),
        uuid.UUID(int=7),
        [1, None, 3],
        ["a,b", '"', None],
    )
    places = ", ".join(["%s"] * len(sent))
    for binary in (False, True):
        with a.cursor(binary=binary) as each:
            each.execute(f"select {places}::text[]", sent)
            equal(each.fetchone(), sent)
    equal(value(a, "select %s::jsonb -> 'a'", (Jsonb({"a": [1, "b"]}),)), [1, "b"])


def many():
    places = ", ".join(["(%s::int)"] * len(MANY))
    equal(value(a, f"select sum(n) from (values {places}) as v(n)", MANY), sum(MANY))
    chain = " + ".join(["%s::int"] * 7000)
    fails(psycopg.errors.StatementTooComplex, lambda: a.execute(f"select {chain}", [1] * 7000))
    equal(value(a, "select 1"), 1)


def errors():
    fails(psycopg.errors.DivisionByZero, lambda: a.execute("select 1 / %s", (0,)))
    with b.transaction():
        fails(psycopg.errors.UndefinedTable, lambda: b.execute("select * from nowhere"))
        fails(psycopg.errors.InFailedSqlTransaction, lambda: b.execute("select 1"))
        raise psycopg.Rollback()
    equal(value(a, "select 1") + value(b, "select 2"), 3)


def pipeline():
    with a.pipeline():
        cursors = [a.execute("select %s::int", (number,)) for number in range(50)]
    equal([each.fetchone()[0] for each in cursors], list(range(50)))

    def with_an_error():
        with a.pipeline():
            a.execute("select 1")
            a.execute("select 1 / 0")
            a.execute("select 2")

    fails(psycopg.errors.DivisionByZero, with_an_error)
    equal(value(a, "select 3"), 3)


def listen():
    a.execute("listen news")
    b.execute("select pg_notify(%s, %s)", ("news", "first"))
    told = [each.payload for each in a.notifies(timeout=20, stop_after=1)]
    equal(told, ["first"])
    equal(list(b.notifies(timeout=0)), [])


def copy():
    with a.cursor() as each:
        with each.copy("copy segment_events (event_id, user_id, vendor) from stdin") as into:
            into.write_row((uuid.uuid4(), "psycopg", 1))
        with each.copy("copy segment_events (event_id, user_id, vendor) from stdin (format binary)") as into:
            into.set_types(["uuid", "text", "int4"])
            into.write_row((uuid.uuid4(), "psycopg", 2))
        with reader.cursor().copy("copy (select events from by_user where user_id = 'psycopg') to stdout") as out:
            equal(list(out.rows()), [("2",)])
    reader.rollback()
    fails(psycopg.Error, lambda: reader.cursor().copy("copy segment_events from stdin").__enter__())
    reader.rollback()


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
    "pipelining": pipeline,
    "LISTEN": listen,
    "COPY": copy,
}.items():
    checks.run(name, check)
for connection in (reader, a, b):
    connection.close()

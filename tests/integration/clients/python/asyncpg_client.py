"""asyncpg: two connections beside each other. It prepares everything, and resets a connection when its pool takes it back."""

import asyncio
import datetime
import decimal
import io
import uuid

import asyncpg

from checks import MANY, OWNER, READER, Checks, equal


async def fails(kind, awaited):
    try:
        await awaited
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


async def main():
    checks = Checks()
    reader = await asyncpg.connect(READER)
    pool = await asyncpg.create_pool(OWNER, min_size=1, max_size=1)
    b = await asyncpg.connect(OWNER)
    a = await pool.acquire()

    async def read_only():
        async with reader.transaction(readonly=True):
            equal(await reader.fetchval("select count(*) > 6 from by_user"), True)
        await fails(asyncpg.PostgresError, reader.execute("create table public.x (a int)"))
        transaction = a.transaction(readonly=True)
        await transaction.start()
        await fails(asyncpg.ReadOnlySQLTransactionError, a.execute("create table public.x (a int)"))
        await transaction.rollback()
        equal(await b.fetchval("show transaction_read_only"), "off")

    async def isolation():
        async with a.transaction(isolation="serializable", deferrable=True, readonly=True):
            equal(await a.fetchval("show transaction_isolation"), "serializable")
        equal(await b.fetchval("show transaction_isolation"), "read committed")

    async def settings():
        await a.execute("set work_mem = '9MB'")
        equal(await a.fetchval("select set_config($1, $2, false)", "app.tenant", "blue"), "blue")
        equal(await b.fetchval("select current_setting('app.tenant', true)") or None, None)
        equal(await a.fetchval("select current_setting('app.tenant') || current_setting('work_mem')"), "blue9MB")

    async def prepared():
        mine = await a.prepare("select $1::int + 1", name="mine")
        other = await b.prepare("select $1::int + 2", name="mine")
        equal([await mine.fetchval(1), await other.fetchval(1), await mine.fetchval(2)], [2, 3, 3])

    async def temporary():
        async with a.transaction():
            await a.execute("create temp table notes (x int) on commit drop")
            await a.copy_records_to_table("notes", records=[(1,), (2,), (3,)])
            equal(await a.fetchval("select sum(x) from notes"), 6)
        equal(await b.fetchval("select to_regclass('notes')::text"), None)

    async def cursor():
        async with a.transaction():
            total = 0
            async for row in a.cursor("select generate_series(1, $1::int) as n", 1000, prefetch=100):
                total += row["n"]
            equal(total, 500500)
        equal(await b.fetchval("select count(*) from pg_cursors where statement like 'select generate_series%'"), 0)

    async def types():
        sent = (
            ("smallint", 1),
            ("bigint", 2**40),
            ("float8", 1.5),
            ("numeric", decimal.Decimal("12345678901234567890.0123456789")),
            ("text", "it's \"ü\" 🦆"),
            ("bytea", b"\x00\xff"),
            ("boolean", True),
            ("text", None),
            ("date", datetime.date(2024, 2, 29)),
            ("timestamptz", datetime.datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=datetime.timezone.utc)),
            ("interval", datetime.timedelta(days=1, seconds=2)),
            ("uuid", uuid.UUID(int=7)),
            ("int[]", [1, None, 3]),
            ("text[]", ["a,b", '"', None]),
            ("jsonb", '{"a": [1]}'),
            ("int4range", asyncpg.Range(1, 5)),
        )
        places = ", ".join(f"${at}::{name}" for at, (name, _) in enumerate(sent, 1))
        values = tuple(each for _, each in sent)
        equal(tuple(await a.fetchrow(f"select {places}", *values)), values)

    async def many():
        places = ", ".join(f"(${at}::int)" for at in MANY)
        equal(await a.fetchval(f"select sum(n) from (values {places}) as v(n)", *MANY), sum(MANY))
        chain = " + ".join(f"${at + 1}::int" for at in range(7000))
        await fails(asyncpg.StatementTooComplexError, a.fetchval(f"select {chain}", *[1] * 7000))
        equal(await a.fetchval("select 1"), 1)

    async def errors():
        await fails(asyncpg.DivisionByZeroError, a.fetchval("select 1 / $1::int", 0))
        transaction = b.transaction()
        await transaction.start()
        await fails(asyncpg.UndefinedTableError, b.execute("select * from nowhere"))
        await fails(asyncpg.InFailedSQLTransactionError, b.execute("select 1"))
        await transaction.rollback()
        equal(await a.fetchval("select 1") + await b.fetchval("select 2"), 3)

    async def listen():
        told, others = asyncio.Queue(), []

        def tell(*each):
            told.put_nowait(each[3])

        await a.add_listener("news", tell)
        b.add_log_listener(lambda *each: others.append(each))
        await b.execute("select pg_notify($1, $2)", "news", "first")
        equal(await asyncio.wait_for(told.get(), 20), "first")
        equal(others, [])
        await a.remove_listener("news", tell)

    async def copy():
        records = [(uuid.uuid4(), "asyncpg", 1), (uuid.uuid4(), "asyncpg", 2)]
        columns = ["event_id", "user_id", "vendor"]
        await a.copy_records_to_table("segment_events", records=records, columns=columns)
        out = io.BytesIO()
        await reader.copy_from_query("select events from by_user where user_id = $1", "asyncpg", output=out)
        equal(out.getvalue(), b"2\n")

    async def pooled():
        nonlocal a
        await a.execute("set application_name = 'left behind'")
        await pool.release(a)
        a = await pool.acquire()
        equal(await a.fetchval("show application_name") == "left behind", False)
        equal(await a.fetchval("select count(*) from by_user") > 0, True)

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
        "pool": pooled,
    }.items():
        await checks.run_async(name, check)
    await asyncio.gather(reader.close(), b.close(), a.close())


asyncio.run(main())

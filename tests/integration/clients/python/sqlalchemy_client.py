"""SQLAlchemy on psycopg 3: its reflection of the project's schema, its pool, its isolation levels, its streams."""

import datetime
import decimal
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from checks import MANY, OWNER, READER, Checks, equal, fails

checks = Checks()


def engine(url, **options):
    return sa.create_engine(url.replace("postgres://", "postgresql+psycopg://"), **options)


owner, reader = engine(OWNER, pool_size=2), engine(READER)
b = owner.connect().execution_options(isolation_level="AUTOCOMMIT")


def read_only():
    with reader.connect().execution_options(postgresql_readonly=True) as connection:
        equal(connection.scalar(sa.text("select count(*) > 6 from by_user")), True)
        fails(sa.exc.DBAPIError, lambda: connection.execute(sa.text("create table public.x (a int)")))
    equal(b.scalar(sa.text("show transaction_read_only")), "off")


def isolation():
    with owner.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        equal(connection.scalar(sa.text("show transaction_isolation")), "serializable")
    equal(b.scalar(sa.text("show transaction_isolation")), "read committed")


def settings():
    with owner.connect() as connection:
        connection.execute(sa.select(sa.func.set_config("app.tenant", "blue", False)))
        connection.commit()
        equal(connection.scalar(sa.select(sa.func.current_setting("app.tenant"))), "blue")
        connection.commit()
        equal(b.scalar(sa.select(sa.func.current_setting("app.tenant", True))) or None, None)


def temporary():
    notes = sa.Table("notes", sa.MetaData(), sa.Column("x", sa.Integer), prefixes=["TEMPORARY"])
    with owner.begin() as connection:
        notes.create(connection)
        connection.execute(sa.insert(notes), [{"x": n} for n in range(1, 4)])
        equal(connection.scalar(sa.select(sa.func.sum(notes.c.x))), 6)
    equal(b.scalar(sa.select(sa.func.to_regclass("notes"))), None)


def cursor():
    with owner.connect().execution_options(stream_results=True, max_row_buffer=100) as connection:
        rows = connection.execute(sa.text("select generate_series(1, 1000)"))
        equal(sum(row[0] for row in rows), 500500)


def types():
    sent = {
        "i": sa.literal(1),
        "l": sa.literal(2**40, sa.BigInteger),
        "f": sa.literal(1.5),
        "n": sa.literal(decimal.Decimal("1234567890.0123"), sa.Numeric(20, 4)),
        "t": sa.literal("it's \"ü\" 🦆"),
        "b": sa.literal(b"\x00\xff"),
        "o": sa.literal(True),
        "d": sa.literal(datetime.date(2024, 2, 29)),
        "s": sa.literal(datetime.datetime(2024, 2, 29, 1, 2, 3)),
        "u": sa.literal(uuid.UUID(int=7)),
        "a": sa.literal([1, 2, 3], sa.ARRAY(sa.Integer)),
        "j": sa.literal({"a": [1]}, sa.JSON),
    }
    with owner.connect() as connection:
        row = connection.execute(sa.select(*(each.label(name) for name, each in sent.items()))).one()
        equal(row._asdict(), {name: each.value for name, each in sent.items()})


def many():
    with owner.connect() as connection:
        n = sa.func.generate_series(1, 900).column_valued("n")
        equal(connection.scalar(sa.select(sa.func.sum(n)).where(n.in_(MANY))), sum(MANY))


def errors():
    with owner.connect() as connection:
        fails(sa.exc.DBAPIError, lambda: connection.execute(sa.text("select 1 / 0")))
        connection.rollback()
        savepoint = connection.begin_nested()
        fails(sa.exc.ProgrammingError, lambda: connection.execute(sa.text("select * from nowhere")))
        savepoint.rollback()
        equal(connection.scalar(sa.text("select 1")), 1)


def reflection():
    inspector = sa.inspect(owner)
    equal("stream" in inspector.get_schema_names(), True)
    equal("by_user" in inspector.get_table_names("stream") + inspector.get_view_names("stream"), True)
    table = sa.Table("segment_events", sa.MetaData(), schema="stream", autoload_with=owner)
    equal([each.name for each in table.columns][:4], ["position", "event_id", "user_id", "vendor"])
    event = {"event_id": uuid.uuid4(), "user_id": "sqlalchemy", "vendor": 1}
    with owner.begin() as connection:
        connection.execute(insert(table).on_conflict_do_nothing(), event)
    equal(b.scalar(sa.text("select events > 0 from by_user where user_id = :user"), {"user": "sqlalchemy"}), True)


for name, check in {
    "read only": read_only,
    "isolation": isolation,
    "settings": settings,
    "temporary tables": temporary,
    "cursors": cursor,
    "types": types,
    "300 parameters": many,
    "errors": errors,
    "catalog": reflection,
}.items():
    checks.run(name, check)
b.close()

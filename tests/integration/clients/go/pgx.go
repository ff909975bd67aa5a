package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

var ctx = context.Background()

func sqlState(err error) string {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return failure.Code
	}
	return fmt.Sprint(err)
}

func connect(url string) *pgx.Conn {
	connection, err := pgx.Connect(ctx, url)
	must(err)
	return connection
}

func value[T any](connection interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, sql string, parameters ...any) T {
	var answer T
	must(connection.QueryRow(ctx, sql, parameters...).Scan(&answer))
	return answer
}

func withPgx() {
	analyst, a, b := connect(reader), connect(owner), connect(owner)
	exec := func(connection *pgx.Conn, sql string, parameters ...any) error {
		_, err := connection.Exec(ctx, sql, parameters...)
		return err
	}
	runChecks([]check{
		{"read only", func() {
			tx, err := analyst.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
			must(err)
			equal(value[bool](tx, "select count(*) > 6 from by_user"), true)
			must(tx.Commit(ctx))
			equal(sqlState(exec(analyst, "create table public.x (a int)")), "42501")
			tx, err = a.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
			must(err)
			_, err = tx.Exec(ctx, "create table public.x (a int)")
			equal(sqlState(err), "25006")
			must(tx.Rollback(ctx))
			equal(value[string](b, "show transaction_read_only"), "off")
		}},
		{"isolation", func() {
			tx, err := a.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable, DeferrableMode: pgx.Deferrable})
			must(err)
			equal(value[string](tx, "show transaction_isolation"), "serializable")
			must(tx.Commit(ctx))
			equal(value[string](b, "show transaction_isolation"), "read committed")
		}},
		{"settings", func() {
			must(exec(a, "set work_mem = '9MB'"))
			equal(value[string](a, "select set_config($1, $2, false)", "app.tenant", "blue"), "blue")
			equal(value[string](b, "select coalesce(current_setting('app.tenant', true), '')"), "")
			equal(value[string](a, "select current_setting('app.tenant') || current_setting('work_mem')"), "blue9MB")
		}},
		{"prepared statements", func() {
			_, err := a.Prepare(ctx, "mine", "select $1::int + 1")
			must(err)
			_, err = b.Prepare(ctx, "mine", "select $1::int + 2")
			must(err)
			equal(value[int](a, "mine", 1), 2)
			equal(value[int](b, "mine", 1), 3)
			must(a.Deallocate(ctx, "mine"))
			equal(value[int](b, "mine", 2), 4)
		}},
		{"temporary tables", func() {
			must(pgx.BeginFunc(ctx, a, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "create temp table notes (x int) on commit drop")
				must(err)
				rows := [][]any{{1}, {2}, {3}}
				_, err = tx.CopyFrom(ctx, pgx.Identifier{"notes"}, []string{"x"}, pgx.CopyFromRows(rows))
				must(err)
				equal(value[int](tx, "select sum(x) from notes"), 6)
				return nil
			}))
			equal(value[bool](b, "select to_regclass('notes') is null"), true)
		}},
		{"cursors", func() {
			must(pgx.BeginFunc(ctx, a, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "declare portions cursor for select generate_series(1, $1::int)", 1000)
				must(err)
				sum := 0
				for count := 1; count > 0; {
					rows, err := tx.Query(ctx, "fetch 300 from portions")
					must(err)
					numbers, err := pgx.CollectRows(rows, pgx.RowTo[int])
					must(err)
					count = len(numbers)
					for _, n := range numbers {
						sum += n
					}
				}
				equal(sum, 500500)
				return nil
			}))
			equal(value[int](b, "select count(*) from pg_cursors where name = 'portions'"), 0)
		}},
		{"types", func() {
			at := time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.UTC)
			sent := []any{int32(1), int64(1) << 40, 1.5, "it's \"ü\" 🦆", []byte{0, 255}, true, at, []int32{1, 2}, []string{"a,b", "\""}}
			sql := "select $1::int, $2::bigint, $3::float8, $4::text, $5::bytea, $6::bool, $7::timestamptz, $8::int[], $9::text[]"
			for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
				var i int32
				var l int64
				var f float64
				var t string
				var y []byte
				var o bool
				var ts time.Time
				var is []int32
				var ss []string
				must(a.QueryRow(ctx, sql, append([]any{mode}, sent...)...).Scan(&i, &l, &f, &t, &y, &o, &ts, &is, &ss))
				equal([]any{i, l, f, t, y, o, ts.UTC(), is, ss}, sent)
			}
			var n pgtype.Numeric
			must(a.QueryRow(ctx, "select $1::numeric", "12345678901234567890.0123").Scan(&n))
			text, err := n.Value()
			must(err)
			equal(text, "12345678901234567890.0123")
		}},
		{"300 parameters", func() {
			places, values := many()
			equal(value[int](a, "select sum(n) from (values "+places+") as v(n)", values...), sumOfMany)
			_, err := a.Exec(ctx, "select "+strings.Repeat("1 + ", 24_999)+"1")
			equal(sqlState(err), "54001")
			equal(value[int](a, "select 1"), 1)
		}},
		{"errors", func() {
			equal(sqlState(exec(a, "select 1 / $1::int", 0)), "22012")
			tx, err := b.Begin(ctx)
			must(err)
			_, err = tx.Exec(ctx, "select * from nowhere")
			equal(sqlState(err), "42P01")
			_, err = tx.Exec(ctx, "select 1")
			equal(sqlState(err), "25P02")
			must(tx.Rollback(ctx))
			equal(value[int](a, "select 1")+value[int](b, "select 2"), 3)
		}},
		{"pipelining", func() {
			batch := &pgx.Batch{}
			for n := range 50 {
				batch.Queue("select $1::int", n)
			}
			answers := a.SendBatch(ctx, batch)
			for n := range 50 {
				equal(value[int](batchRow{answers}, "", nil), n)
			}
			must(answers.Close())
			broken := &pgx.Batch{}
			broken.Queue("select 1")
			broken.Queue("select 1 / 0")
			equal(sqlState(a.SendBatch(ctx, broken).Close()), "22012")
			equal(value[int](a, "select 3"), 3)
		}},
		{"LISTEN", func() {
			must(exec(a, "listen news"))
			must(exec(b, "select pg_notify($1, $2)", "news", "first"))
			soon, stop := context.WithTimeout(ctx, 20*time.Second)
			defer stop()
			told, err := a.WaitForNotification(soon)
			must(err)
			equal(told.Payload, "first")
		}},
		{"COPY", func() {
			rows := [][]any{{"00000000-0000-4000-8000-0000000000a1", "pgx", 1}}
			columns := []string{"event_id", "user_id", "vendor"}
			_, err := a.CopyFrom(ctx, pgx.Identifier{"stream", "segment_events"}, columns, pgx.CopyFromRows(rows))
			must(err)
			var out strings.Builder
			_, err = analyst.PgConn().CopyTo(ctx, &out, "copy (select events from by_user where user_id = 'pgx') to stdout")
			must(err)
			equal(out.String(), "1\n")
		}},
	})
	for _, each := range []*pgx.Conn{analyst, a, b} {
		must(each.Close(ctx))
	}
}

// batchRow reads the next answer of a batch as a row of its own.
type batchRow struct{ answers pgx.BatchResults }

func (row batchRow) QueryRow(context.Context, string, ...any) pgx.Row { return row.answers.QueryRow() }

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
)

func pqState(err error) string {
	var failure *pq.Error
	if errors.As(err, &failure) {
		return string(failure.Code)
	}
	return fmt.Sprint(err)
}

// open answers a pool of one connection: what is asked of it is asked of the same session.
func open(url string) *sql.DB {
	pool, err := sql.Open("postgres", url+"?sslmode=disable")
	must(err)
	pool.SetMaxOpenConns(1)
	return pool
}

func scalar[T any](from interface {
	QueryRow(string, ...any) *sql.Row
}, query string, parameters ...any) T {
	var answer T
	must(from.QueryRow(query, parameters...).Scan(&answer))
	return answer
}

func withPq() {
	analyst, a, b := open(reader), open(owner), open(owner)
	exec := func(pool *sql.DB, query string, parameters ...any) error {
		_, err := pool.Exec(query, parameters...)
		return err
	}
	begin := func(pool *sql.DB, options *sql.TxOptions) *sql.Tx {
		tx, err := pool.BeginTx(context.Background(), options)
		must(err)
		return tx
	}
	runChecks([]check{
		{"read only", func() {
			tx := begin(analyst, &sql.TxOptions{ReadOnly: true})
			equal(scalar[bool](tx, "select count(*) > 6 from by_user"), true)
			must(tx.Commit())
			equal(pqState(exec(analyst, "create table public.x (a int)")), "42501")
			tx = begin(a, &sql.TxOptions{ReadOnly: true})
			_, err := tx.Exec("create table public.x (a int)")
			equal(pqState(err), "25006")
			must(tx.Rollback())
			equal(scalar[string](b, "show transaction_read_only"), "off")
		}},
		{"isolation", func() {
			tx := begin(a, &sql.TxOptions{Isolation: sql.LevelSerializable})
			equal(scalar[string](tx, "show transaction_isolation"), "serializable")
			must(tx.Commit())
			equal(scalar[string](b, "show transaction_isolation"), "read committed")
		}},
		{"settings", func() {
			must(exec(a, "set work_mem = '9MB'"))
			equal(scalar[string](a, "select set_config($1, $2, false)", "app.tenant", "blue"), "blue")
			equal(scalar[string](b, "select coalesce(current_setting('app.tenant', true), '')"), "")
			equal(scalar[string](a, "select current_setting('app.tenant') || current_setting('work_mem')"), "blue9MB")
		}},
		{"prepared statements", func() {
			mine, err := a.Prepare("select $1::int + 1")
			must(err)
			other, err := b.Prepare("select $1::int + 2")
			must(err)
			var first, second int
			must(mine.QueryRow(1).Scan(&first))
			must(other.QueryRow(1).Scan(&second))
			equal([]int{first, second}, []int{2, 3})
			must(mine.Close())
			must(other.QueryRow(2).Scan(&second))
			equal(second, 4)
			must(other.Close())
		}},
		{"temporary tables", func() {
			tx := begin(a, nil)
			_, err := tx.Exec("create temp table notes (x int) on commit drop")
			must(err)
			_, err = tx.Exec("insert into notes select generate_series(1, $1::int)", 3)
			must(err)
			equal(scalar[int](tx, "select sum(x) from notes"), 6)
			must(tx.Commit())
			equal(scalar[bool](b, "select to_regclass('notes') is null"), true)
		}},
		{"types", func() {
			at := time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.UTC)
			var i int64
			var f float64
			var n, t string
			var y []byte
			var o bool
			var ts time.Time
			var is pq.Int64Array
			var nothing sql.NullString
			sent := []any{int64(1) << 40, 1.5, "1.0123456789", "it's \"ü\" 🦆", []byte{0, 255}, true, at, pq.Array([]int64{1, 2}), nil}
			query := "select $1::bigint, $2::float8, $3::numeric, $4::text, $5::bytea, $6::bool, $7::timestamptz, $8::int[], $9::text"
			must(a.QueryRow(query, sent...).Scan(&i, &f, &n, &t, &y, &o, &ts, &is, &nothing))
			equal([]any{i, f, n, t, y, o, ts.UTC(), is, nothing.Valid}, []any{sent[0], 1.5, sent[2], sent[3], sent[4], true, at, []int64{1, 2}, false})
		}},
		{"300 parameters", func() {
			places, values := many()
			equal(scalar[int](a, "select sum(n) from (values "+places+") as v(n)", values...), sumOfMany)
		}},
		{"errors", func() {
			equal(pqState(exec(a, "select 1 / $1::int", 0)), "22012")
			tx := begin(b, nil)
			_, err := tx.Exec("select * from nowhere")
			equal(pqState(err), "42P01")
			_, err = tx.Exec("select 1")
			equal(pqState(err), "25P02")
			must(tx.Rollback())
			equal(scalar[int](a, "select 1")+scalar[int](b, "select 2"), 3)
		}},
		{"LISTEN", func() {
			listener := pq.NewListener(owner+"?sslmode=disable", time.Second, time.Minute, nil)
			defer listener.Close()
			must(listener.Listen("news"))
			must(exec(b, "select pg_notify($1, $2)", "news", "first"))
			select {
			case told := <-listener.Notify:
				equal(told.Extra, "first")
			case <-time.After(20 * time.Second):
				panic("nothing was heard")
			}
		}},
		{"COPY", func() {
			tx := begin(a, nil)
			into, err := tx.Prepare(pq.CopyInSchema("stream", "segment_events", "event_id", "user_id", "vendor"))
			must(err)
			_, err = into.Exec("00000000-0000-4000-8000-0000000000a2", "lib/pq", 1)
			must(err)
			_, err = into.Exec()
			must(err)
			must(into.Close())
			must(tx.Commit())
			equal(scalar[int](analyst, "select events from by_user where user_id = 'lib/pq'"), 1)
		}},
	})
	for _, each := range []*sql.DB{analyst, a, b} {
		must(each.Close())
	}
}

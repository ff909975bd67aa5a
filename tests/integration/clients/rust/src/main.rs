//! tokio-postgres: connections beside each other. Each check is one line of JSON on standard output.

use std::fmt::Debug;
use std::future::{poll_fn, Future};
use std::pin::pin;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Error, IsolationLevel, NoTls};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A client, and what it is told without having asked.
async fn connect(variable: &str) -> (Client, mpsc::Receiver<String>) {
    let url = std::env::var(variable).unwrap();
    let (client, mut connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let (tell, told) = mpsc::channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(each) = message {
                let _ = tell.send(each.payload().to_string());
            }
        }
    });
    (client, told)
}

fn report(check: &str, outcome: Outcome) {
    let error = match outcome {
        Ok(()) => return println!("{{\"check\": \"{check}\", \"ok\": true}}"),
        Err(error) => format!("{error:?}").replace(['"', '\\', '\n'], " "),
    };
    println!("{{\"check\": \"{check}\", \"ok\": false, \"error\": \"{error}\"}}");
}

fn equal<T: PartialEq + Debug>(actual: T, expected: T) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{actual:?} instead of {expected:?}").into())
}

fn fails<T>(answer: Result<T, Error>, state: &str) -> Outcome {
    let code = answer.err().and_then(|error| error.code().map(|code| code.code().to_string()));
    equal(code.as_deref(), Some(state))
}

async fn text(client: &Client, sql: &str) -> Result<String, Error> {
    Ok(client.query_one(sql, &[]).await?.get(0))
}

async fn number(client: &Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<i64, Error> {
    Ok(client.query_one(sql, parameters).await?.get(0))
}

async fn read_only(reader: &mut Client, a: &mut Client, b: &Client) -> Outcome {
    let transaction = reader.build_transaction().read_only(true).start().await?;
    transaction.query_one("select count(*) from by_user", &[]).await?;
    transaction.commit().await?;
    fails(reader.batch_execute("create table public.x (a int)").await, "42501")?;
    let transaction = a.build_transaction().read_only(true).start().await?;
    fails(transaction.execute("create table public.x (a int)", &[]).await, "25006")?;
    transaction.rollback().await?;
    equal(text(b, "show transaction_read_only").await?.as_str(), "off")
}

async fn isolation(a: &mut Client, b: &Client) -> Outcome {
    let transaction = a.build_transaction().isolation_level(IsolationLevel::Serializable).start().await?;
    let level: String = transaction.query_one("show transaction_isolation", &[]).await?.get(0);
    transaction.commit().await?;
    equal(level.as_str(), "serializable")?;
    equal(text(b, "show transaction_isolation").await?.as_str(), "read committed")
}

async fn settings(a: &Client, b: &Client) -> Outcome {
    a.execute("set work_mem = '9MB'", &[]).await?;
    a.query("select set_config($1, $2, false)", &[&"app.tenant", &"blue"]).await?;
    equal(text(b, "select coalesce(current_setting('app.tenant', true), '')").await?.as_str(), "")?;
    let own = text(a, "select current_setting('app.tenant') || current_setting('work_mem')").await?;
    equal(own.as_str(), "blue9MB")
}

async fn prepared(a: &Client, b: &Client) -> Outcome {
    let mine = a.prepare("select $1::bigint + 1").await?;
    let other = b.prepare("select $1::bigint + 2").await?;
    for n in 1..4i64 {
        equal(a.query_one(&mine, &[&n]).await?.get::<_, i64>(0), n + 1)?;
        equal(b.query_one(&other, &[&n]).await?.get::<_, i64>(0), n + 2)?;
    }
    Ok(())
}

async fn temporary(a: &mut Client, b: &Client) -> Outcome {
    let transaction = a.transaction().await?;
    transaction.batch_execute("create temp table notes (x int) on commit drop").await?;
    transaction.execute("insert into notes select generate_series(1, $1::int)", &[&3]).await?;
    let sum: i64 = transaction.query_one("select sum(x) from notes", &[]).await?.get(0);
    transaction.commit().await?;
    equal(sum, 6)?;
    equal(number(b, "select count(to_regclass('notes'))", &[]).await?, 0)
}

async fn cursors(a: &mut Client) -> Outcome {
    let transaction = a.transaction().await?;
    let portal = transaction.bind("select generate_series(1, $1::int)", &[&1000]).await?;
    let mut sum = 0;
    loop {
        let rows = transaction.query_portal(&portal, 300).await?;
        if rows.is_empty() {
            break;
        }
        sum += rows.iter().map(|row| row.get::<_, i32>(0)).sum::<i32>();
    }
    transaction.commit().await?;
    equal(sum, 500_500)
}

async fn types(a: &Client) -> Outcome {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_709_168_523_456_789);
    let sql = "select $1::int, $2::bigint, $3::float8, $4::text, $5::bytea, $6::bool, $7::timestamptz, $8::int[], $9::text";
    let nothing: Option<&str> = None;
    let row = a
        .query_one(sql, &[&1i32, &(1i64 << 40), &1.5f64, &"it's \"ü\" 🦆", &&[0u8, 255][..], &true, &at, &vec![Some(1i32), None], &nothing])
        .await?;
    equal((row.get(0), row.get(1), row.get(2), row.get(3)), (1i32, 1i64 << 40, 1.5f64, "it's \"ü\" 🦆"))?;
    equal((row.get(4), row.get(5), row.get(6), row.get(7), row.get(8)), (vec![0u8, 255], true, at, vec![Some(1i32), None], nothing))
}

async fn many(a: &Client) -> Outcome {
    let values: Vec<i32> = (1..=300).collect();
    let places: Vec<String> = values.iter().map(|n| format!("(${n}::int)")).collect();
    let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|n| n as &(dyn ToSql + Sync)).collect();
    let sql = format!("select sum(n) from (values {}) as v(n)", places.join(", "));
    equal(number(a, &sql, &parameters).await?, 45_150)
}

async fn errors(a: &Client, b: &mut Client) -> Outcome {
    fails(a.query("select 1 / $1::int", &[&0]).await, "22012")?;
    let transaction = b.transaction().await?;
    fails(transaction.query("select * from nowhere", &[]).await, "42P01")?;
    fails(transaction.query("select 1", &[]).await, "25P02")?;
    transaction.rollback().await?;
    equal(number(a, "select 1::bigint", &[]).await? + number(b, "select 2::bigint", &[]).await?, 3)
}

async fn pipelining(a: &Client) -> Outcome {
    let values: Vec<i64> = (1..=50).collect();
    let parameters: Vec<[&(dyn ToSql + Sync); 1]> = values.iter().map(|n| [n as &(dyn ToSql + Sync)]).collect();
    let answers = join_all(parameters.iter().map(|each| number(a, "select $1::bigint", each))).await;
    equal(answers.into_iter().collect::<Result<Vec<_>, _>>()?, values)
}

async fn listen(a: &Client, b: &Client, told: &mpsc::Receiver<String>, others: &mpsc::Receiver<String>) -> Outcome {
    a.execute("listen news", &[]).await?;
    b.query("select pg_notify($1, $2)", &[&"news", &"first"]).await?;
    // What has come is read while something is asked.
    for _ in 0..100 {
        a.query("select 1", &[]).await?;
        if let Ok(payload) = told.try_recv() {
            equal(payload.as_str(), "first")?;
            return equal(others.try_recv().is_err(), true);
        }
    }
    Err("nothing was heard".into())
}

async fn copy(reader: &Client, a: &Client) -> Outcome {
    let into = a.copy_in("copy segment_events (event_id, user_id, vendor) from stdin").await?;
    let mut into = pin!(into);
    let line = "00000000-0000-4000-8000-0000000000a3\ttokio-postgres\t1\n";
    into.send(std::io::Cursor::new(line.as_bytes())).await?;
    into.finish().await?;
    let out = reader.copy_out("copy (select events from by_user where user_id = 'tokio-postgres') to stdout").await?;
    let rows: Vec<_> = pin!(out).try_collect().await?;
    equal(rows.concat().as_slice(), b"1\n")
}

async fn run() {
    let (mut reader, _) = connect("SEG_CLIENT_READER").await;
    let (mut a, told) = connect("SEG_CLIENT_OWNER").await;
    let (mut b, others) = connect("SEG_CLIENT_OWNER").await;
    report("read only", read_only(&mut reader, &mut a, &b).await);
    report("isolation", isolation(&mut a, &b).await);
    report("settings", settings(&a, &b).await);
    report("prepared statements", prepared(&a, &b).await);
    report("temporary tables", temporary(&mut a, &b).await);
    report("cursors", cursors(&mut a).await);
    report("types", types(&a).await);
    report("300 parameters", many(&a).await);
    report("errors", errors(&a, &mut b).await);
    report("pipelining", pipelining(&a).await);
    report("LISTEN", listen(&a, &b, &told, &others).await);
    report("COPY", copy(&reader, &a).await);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(within(Duration::from_secs(60), run()));
}

async fn within(limit: Duration, work: impl Future<Output = ()>) {
    if tokio::time::timeout(limit, work).await.is_err() {
        report("in time", Err("60 seconds were not enough".into()));
    }
}

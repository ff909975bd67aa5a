// Sessions of pageviews: a CSV into a table whose sessions are maintained, the sessions out as CSV, then late events one by one.
import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { finished, pipeline } from 'node:stream/promises';
import { URL } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { startParams } from '../../../dist/engines/pglite/settings.js';
import { createIncrementalView } from '../../../dist/incremental/incremental.js';
import { figure, median } from '../lib/measure.mjs';
import { benchServer } from '../lib/postgres-server.mjs';

export const about = 'pageviews from CSV to maintained sessions and out to CSV, then late events one by one';

const table = `CREATE TABLE pageviews (position bigint GENERATED ALWAYS AS IDENTITY, visitor_id text NOT NULL, viewed_at timestamptz NOT NULL, url text)`;

const sessions = `WITH flagged AS (
  SELECT visitor_id, viewed_at, position, CASE
    WHEN viewed_at <= lag(viewed_at) OVER (PARTITION BY visitor_id ORDER BY viewed_at, position) + interval '5 minutes' THEN 0 ELSE 1 END AS starts
  FROM pageviews
), numbered AS (
  SELECT *, sum(starts) OVER (PARTITION BY visitor_id ORDER BY viewed_at, position ROWS UNBOUNDED PRECEDING) AS number FROM flagged
)
SELECT visitor_id, min(viewed_at) AS started_at, max(viewed_at) AS ended_at, count(*) AS pageviews FROM numbered GROUP BY visitor_id, number`;

const wrong = `SELECT count(*)::integer AS n FROM (
  (SELECT * FROM sessions EXCEPT ALL (${sessions})) UNION ALL ((${sessions}) EXCEPT ALL SELECT * FROM sessions)) AS d`;

export async function run({ quick, history, scratch, say, table: print }) {
  const count = quick ? 100_000 : Math.round(history * 1.6);
  const batch = 10_000;
  const file = join(scratch, 'pageviews.csv');
  await writeCsv(file, count);
  const rows = [];
  const machine = await benchServer(say);
  try {
    for (const open of [openPglite, openPostgres]) {
      for (const size of [count, batch]) {
        const server = await open(scratch, size, machine);
        if (server === undefined) continue;
        const row = await measure(server, { file, count, size, rounds: quick ? 100 : 1000, scratch });
        rows.push([
          server.name,
          size === count ? 'at once' : `in batches of ${batch.toLocaleString('en-US')}`,
          ...row,
        ]);
        say(rows.at(-1).join('  '));
        await server.close();
      }
    }
  } finally {
    machine?.stop();
  }
  print(
    [
      'server',
      'pageviews',
      'CSV in, s',
      'without the view, s',
      'CSV out, s',
      'sessions',
      'late events one by one: median, ms',
      '95 %',
    ],
    rows,
    `${count.toLocaleString('en-US')} pageviews, seconds and milliseconds by the clock:`,
  );
}

async function measure({ db, copyIn, copyOut }, { file, count, size, rounds, scratch }) {
  await db.query(table);
  const bare = await seconds(() => copyIn(file, count));
  await db.query('DROP TABLE pageviews');
  await db.query(table);
  await createIncrementalView(db, 'sessions', sessions);
  const loaded = await seconds(() => copyIn(file, size));
  const out = await seconds(() => copyOut('SELECT * FROM sessions', join(scratch, 'sessions.csv')));
  await db.query('VACUUM ANALYZE');
  const times = [];
  // All at once: the table has no index on its position.
  const { rows: chosen } = await db.query(
    `SELECT visitor_id, viewed_at + interval '200 seconds' AS at FROM pageviews
     WHERE position IN (SELECT 1 + (i * 7919) % $1::bigint FROM generate_series(0, $2::bigint - 1) AS i) ORDER BY url, position`,
    [count, rounds],
  );
  for (const { visitor_id: visitor, at } of chosen) {
    const start = performance.now();
    await db.query('INSERT INTO pageviews (visitor_id, viewed_at, url) VALUES ($1, $2, $3)', [
      visitor,
      at.toISOString(),
      '/late',
    ]);
    times.push(performance.now() - start);
  }
  const check = await db.query(wrong);
  if (check.rows[0].n !== 0) throw new Error(`${check.rows[0].n} sessions are wrong`);
  const total = await db.query('SELECT count(*)::integer AS n FROM sessions');
  times.sort((a, b) => a - b);
  return [
    figure(loaded),
    figure(bare),
    figure(out),
    total.rows[0].n.toLocaleString('en-US'),
    figure(median(times)),
    figure(times[Math.floor(times.length * 0.95)]),
  ];
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Visitors of very different histories (a few have thousands of pages), in the order of time, each line after the header a page. */
async function writeCsv(path, count) {
  const out = createWriteStream(path);
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const visitors = Math.max(100, count / 16);
  let text = '';
  for (let i = 0; i < count; i++) {
    const visitor = Math.floor(visitors * random() ** 3);
    text += `v${visitor},${new Date(1_600_000_000_000 + i * 500).toISOString()},/page/${i % 97}\n`;
    if (text.length > 1_000_000) {
      if (!out.write(text)) await new Promise((resolve) => out.once('drain', resolve));
      text = '';
    }
  }
  out.end(text);
  await finished(out);
}

/** The lines of a file, `size` at a time. */
async function* batches(file, size) {
  let rest = '';
  let lines = [];
  for await (const chunk of createReadStream(file, 'utf8')) {
    const all = (rest + chunk).split('\n');
    rest = all.pop();
    for (const line of all) {
      lines.push(line);
      if (lines.length === size) {
        yield `${lines.join('\n')}\n`;
        lines = [];
      }
    }
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

const copySql = 'COPY pageviews (visitor_id, viewed_at, url) FROM';

async function openPglite(scratch, size) {
  const db = await PGlite.create({ dataDir: join(scratch, `pglite-${size}`), startParams });
  return {
    name: 'PGlite',
    db,
    copyIn: async (file, lines) => {
      for await (const text of batches(file, lines))
        await db.query(`${copySql} '/dev/blob' (FORMAT csv)`, [], { blob: new globalThis.Blob([text]) });
    },
    copyOut: async (query, path) => {
      const { blob } = await db.query(`COPY (${query}) TO '/dev/blob' (FORMAT csv)`);
      await writeFile(path, Buffer.from(await blob.arrayBuffer()));
    },
    close: () => db.close(),
  };
}

/** A database of its own on the server; undefined without one. */
async function openPostgres(scratch, size, server) {
  if (server === undefined) return undefined;
  const { default: pg } = await import('pg');
  const { from, to } = await import('pg-copy-streams');
  const control = new pg.Client({ connectionString: server.url });
  await control.connect();
  const database = `pageviews_${size}`;
  await control.query(`CREATE DATABASE ${database}`);
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  const db = new pg.Client({ connectionString: url.href });
  await db.connect();
  return {
    name: server.name,
    db,
    copyIn: async (file, lines) => {
      if (size === lines && lines > 10_000) {
        await pipeline(createReadStream(file), db.query(from(`${copySql} STDIN (FORMAT csv)`)));
        return;
      }
      for await (const text of batches(file, lines)) {
        const stream = db.query(from(`${copySql} STDIN (FORMAT csv)`));
        stream.end(text);
        await finished(stream);
      }
    },
    copyOut: (query, path) =>
      pipeline(db.query(to(`COPY (${query}) TO STDOUT (FORMAT csv)`)), createWriteStream(path)),
    close: async () => {
      await db.end();
      await control.query(`DROP DATABASE ${database}`);
      await control.end();
    },
  };
}

/** Windows kept by their suffixes: generated stacks, orders and frames under appends, late rows, moves and deletes. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { CaseRunner } from './case-runner.ts';

const seed = Number(process.env['SEG_SEED'] ?? 1);
const runs = Number(process.env['SEG_RUNS'] ?? 1) * 60;

const schema = [
  'CREATE TABLE w (id integer PRIMARY KEY, p text, q integer, s integer NOT NULL, d integer NOT NULL, t timestamptz, v integer, n numeric, b boolean)',
  'CREATE TABLE kinds (v integer PRIMARY KEY, label text)',
];

const direction = fc.constantFrom('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST');
const sorted = (columns: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(...columns.map((column) => direction.map((way) => `${column}${way}`)))
    .map((parts) => parts.join(', '));
const order = fc
  .constantFrom(
    ['s', 'id'],
    ['id'],
    ['t', 'id'],
    ['s', 'd', 'id'],
    ['s', 't', 'd', 'id'],
    ['s + d', 'id'],
    ['v', 's', 'id'],
  )
  .chain(sorted);
const partition = fc.constantFrom('p', 'p, q', "coalesce(p, '?')", 'q');
const few = fc.integer({ min: 0, max: 3 });

const rows = fc.oneof(
  fc.constantFrom(
    'ROWS UNBOUNDED PRECEDING',
    'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING',
    'ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING',
    'ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING',
    '',
  ),
  fc.tuple(few, few).map(([a, b]) => `ROWS BETWEEN ${a} PRECEDING AND ${b} FOLLOWING`),
  few.map((a) => `ROWS BETWEEN CURRENT ROW AND ${a} FOLLOWING`),
);
const over = 'OVER (PARTITION BY @P ORDER BY @O';

/** Functions of a column, as text with @P and @O to be filled in. */
const call = (value: string): fc.Arbitrary<string> =>
  fc.oneof(
    few.map((k) => `lag(${value}, ${k}) ${over})`),
    few.map((k) => `lead(${value}, ${k}) ${over})`),
    fc.constantFrom(
      `lag(${value}, 1, -1) ${over})`,
      `row_number() ${over})`,
      `rank() ${over})`,
      `dense_rank() ${over})`,
      `first_value(${value}) ${over})`,
      `last_value(${value}) ${over})`,
      `count(*) ${over})`,
      `count(${value}) FILTER (WHERE b) ${over})`,
    ),
    fc
      .tuple(fc.constantFrom('sum', 'min', 'max', 'count'), rows)
      .map(([name, frame]) => `${name}(${value}) ${over} ${frame})`),
    rows.map(
      (frame) =>
        `array_agg(${value}) ${over} ${frame.startsWith('ROWS BETWEEN U') || !frame.startsWith('ROWS B') ? 'ROWS BETWEEN 1 PRECEDING AND CURRENT ROW' : frame})`,
    ),
    rows.map((frame) => `bool_or(${value} > 1) ${over} ${frame})`),
    rows.map((frame) => `sum(CASE WHEN b THEN 1 ELSE 0 END) ${over} ${frame})`),
  );

/** Functions that treat rows alike which the order does not tell apart. */
const peers = fc.constantFrom(
  `rank() ${over})`,
  `dense_rank() ${over})`,
  `count(*) ${over})`,
  `sum(v) ${over})`,
  `min(v) ${over})`,
  `bool_and(v > 1) ${over} RANGE UNBOUNDED PRECEDING)`,
  `count(v) ${over} RANGE BETWEEN CURRENT ROW AND CURRENT ROW)`,
  `max(v) FILTER (WHERE b) ${over} GROUPS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`,
);

const level = (value: string): fc.Arbitrary<readonly string[]> =>
  fc.array(call(value), { minLength: 1, maxLength: 3 });

const query = fc
  .tuple(
    partition,
    order,
    level('v'),
    fc.option(fc.constantFrom(1, 2).chain((depth) => fc.tuple(fc.constant(depth), level('x0')))),
    fc.constantFrom(
      '',
      '',
      ' WHERE x0 IS NOT NULL',
      " WHERE x0::text = '1'",
      ' WHERE v > 1 AND x0::text <> id::text',
    ),
    fc.constantFrom(
      'w',
      'w',
      '(SELECT * FROM w WHERE v IS DISTINCT FROM 2) AS f',
      '(SELECT w.*, label FROM w JOIN kinds USING (v)) AS j',
    ),
    fc.constantFrom('', '', 'GROUP'),
  )
  .map(([by, sort, first, second, where, from, grouped]) => {
    const fill = (text: string): string => text.replaceAll('@P', by).replaceAll('@O', sort);
    const columns = (calls: readonly string[], prefix: string): string =>
      calls.map((text, i) => `${fill(text)} AS ${prefix}${i}`).join(', ');
    let sql = `SELECT *, ${columns(first, 'x')} FROM ${from}`;
    if (second !== null) {
      const value = second[0] === 1 ? 'v' : 'CASE WHEN x0::text > v::text THEN 1 ELSE 0 END';
      const calls = second[1].map((text) => text.replaceAll('x0', () => value));
      sql = `SELECT *, ${columns(calls, 'y')} FROM (${sql}) AS one`;
    }
    if (grouped === 'GROUP')
      return `SELECT ${by} AS by, x0, count(*) AS c, min(s) AS m FROM (${sql}) AS two${where} GROUP BY ${by}, x0`;
    return `SELECT id, v, x0${second === null ? '' : ', y0'} FROM (${sql}) AS two${where}`;
  });

const withPeers = fc
  .tuple(
    partition,
    fc.constantFrom(['s'], ['t'], ['s', 't'], ['d', 'v'], ['v']).chain(sorted),
    fc.array(peers, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', ' WHERE x0 = 1'),
  )
  .map(([by, sort, calls, where]) => {
    const columns = calls.map((text, i) => `${text.replaceAll('@P', by).replaceAll('@O', sort)} AS x${i}`);
    return `SELECT id, x0 FROM (SELECT *, ${columns.join(', ')} FROM w) AS one${where.replace('x0 = 1', "x0::text IN ('1', 'true')")}`;
  });

const value = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: fc.constant('NULL') });
const small = fc.integer({ min: 0, max: 4 }).map(String);
const id = fc.integer({ min: 1, max: 60 }).map(String);
const row = fc
  .tuple(
    id,
    value(fc.constantFrom("'x'", "'x'", "'x'", "'y'")),
    value(fc.constantFrom('1', '1', '2')),
    fc.integer({ min: 0, max: 9 }).map(String),
    small,
    value(small.map((m) => `'2024-01-01 00:0${m}:00+00'`)),
    value(small),
    value(small),
    value(fc.constantFrom('true', 'false')),
  )
  .map((values) => `(${values.join(', ')})`);
const which = fc.oneof(
  id.map((n) => `id = ${n}`),
  id.map((n) => `id = ${n}`),
  id.map((n) => `id > ${n}`),
  small.map((n) => `s = ${n}`),
  fc.constantFrom("p = 'x'", 'v = 2', 'true'),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(row, { minLength: 1, maxLength: 3 })
      .map((list) => `INSERT INTO w VALUES ${list.join(', ')} ON CONFLICT DO NOTHING`),
  },
  {
    weight: 3,
    arbitrary: row.map(
      (one) =>
        `INSERT INTO w SELECT (SELECT coalesce(max(id), 0) + 1 FROM w), p, q, (SELECT coalesce(max(s), 0) + 1 FROM w), d, t, v, n, b FROM (VALUES ${one}) AS r (id, p, q, s, d, t, v, n, b)`,
    ),
  },
  { weight: 3, arbitrary: which.map((where) => `DELETE FROM w WHERE ${where}`) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          's = s + 1',
          's = 9 - s',
          'd = 4 - d',
          't = NULL',
          "t = '2024-01-01 00:02:00+00'",
          'id = id + 100',
          "p = 'y'",
          'v = v + 1',
          'v = NULL',
          'b = NOT b',
        ),
        which,
      )
      .map(([set, where]) => `UPDATE w SET ${set} WHERE ${where}`),
  },
  {
    weight: 1,
    arbitrary: small.map(
      (v) => `INSERT INTO kinds VALUES (${v}, 'new') ON CONFLICT (v) DO UPDATE SET label = 'again'`,
    ),
  },
  { weight: 1, arbitrary: small.map((v) => `DELETE FROM kinds WHERE v = ${v}`) },
);

const runner = new CaseRunner();
let cases = 0;
afterAll(() => runner.close());

it('windows equal their recomputation after every statement', { timeout: 3_600_000 }, async () => {
  let suffixes = 0;
  const sampled = fc.sample(
    fc.tuple(
      fc.oneof({ weight: 3, arbitrary: query }, { weight: 1, arbitrary: withPeers }),
      fc.array(step, { minLength: 10, maxLength: 10 }),
    ),
    {
      seed,
      numRuns: runs,
    },
  );
  for (const [sql, steps] of sampled) {
    cases++;
    const history = [
      "INSERT INTO kinds VALUES (0, 'none'), (1, 'one'), (3, 'three')",
      "INSERT INTO w SELECT i, CASE WHEN i % 7 = 0 THEN NULL WHEN i % 5 = 0 THEN 'y' ELSE 'x' END, 1, i / 3, i % 2, NULL, i % 4, i, i % 3 = 0 FROM generate_series(1, 24) AS i",
      ...steps,
    ];
    const trace = await runner.run({ schema, views: [{ name: 'windowed', sql }], history });
    expect(
      trace.mismatch,
      `seed ${seed}, case ${cases}: ${sql}\n${JSON.stringify(trace.created[0]?.stages)}`,
    ).toBeNull();
    if (trace.created[0]!.stages.some(({ strategy }) => strategy === 'suffix')) suffixes++;
    else if (process.env['SEG_WHY'] !== undefined)
      process.stderr.write(`${trace.created[0]!.stages.at(-1)!.reason}\n  ${sql}\n`);
  }
  process.stderr.write(`${suffixes} of ${runs} cases keep suffixes\n`);
  expect(suffixes).toBeGreaterThan(runs / 3);
});

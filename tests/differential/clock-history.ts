/** Seeded histories in which time passes: events `e` and spans `s` around the clock, and moves of it, small, large and back. */
import fc from 'fast-check';

export const clockTables = [
  'CREATE TABLE e (id integer PRIMARY KEY, u integer, ts timestamptz, ttl interval, d date, at timestamp, v integer)',
  'CREATE TABLE s (id integer PRIMARY KEY, u integer, since timestamptz, until timestamptz, span tstzrange)',
];

/** The clock is set to this before the history begins. */
export const START = '2024-01-31 12:00:00+00';

const orNull = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: fc.constant('NULL') });

const offset = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((n) => `${n} minutes`),
  fc.integer({ min: -48, max: 48 }).map((n) => `${n} hours`),
  fc.integer({ min: -70, max: 40 }).map((n) => `${n} days`),
);
const instant = orNull(offset.map((text) => `timestamptz '${START}' + interval '${text}'`));
const small = orNull(fc.integer({ min: 0, max: 3 }).map(String));
const id = fc.integer({ min: 1, max: 15 }).map(String);
const interval = orNull(fc.constantFrom("'1 hour'", "'1 day'", "'1 month'", "'2 months 1 day'", "'-1 day'"));

const row = {
  e: fc
    .tuple(id, small, instant, interval, orNull(offset), instant, small)
    .map(([i, u, ts, ttl, d, at, v]) => {
      const day = d === 'NULL' ? 'NULL' : `date '2024-01-31' + (interval '${d}')`;
      return `(${i}, ${u}, ${ts}, ${ttl}, (${day})::date, (${at})::timestamptz AT TIME ZONE 'UTC', ${v})`;
    }),
  s: fc
    .tuple(id, small, instant, instant)
    .map(
      ([i, u, since, until]) =>
        `(${i}, ${u}, ${since}, ${until}, tstzrange(least(${since}, ${until}), greatest(${since}, ${until})))`,
    ),
};

const insert = fc.constantFrom('e' as const, 's' as const).chain((table) =>
  fc.array(row[table], { minLength: 1, maxLength: 6 }).map((rows) => {
    const once = [...new Map(rows.map((text) => [/\((\d+)/.exec(text)![1], text])).values()];
    return `INSERT INTO ${table} VALUES ${once.join(', ')} ON CONFLICT DO NOTHING`;
  }),
);
const change = fc.oneof(
  fc.tuple(id, instant).map(([i, ts]) => `UPDATE e SET ts = ${ts}, v = v + 1 WHERE id >= ${i}`),
  fc.tuple(id, small).map(([i, u]) => `UPDATE e SET u = ${u} WHERE id = ${i}`),
  fc.tuple(id, instant).map(([i, until]) => `UPDATE s SET until = ${until} WHERE id <= ${i}`),
  fc.tuple(fc.constantFrom('e', 's'), id).map(([table, i]) => `DELETE FROM ${table} WHERE id > ${i}`),
);
const move = fc
  .oneof(
    fc.constantFrom(
      '1 second',
      '30 seconds',
      '1 minute',
      '59 minutes',
      '1 hour',
      '12 hours',
      '1 day',
      '29 days',
    ),
    fc.constantFrom('1 month', '40 days', '-1 day', '-1 minute', '0'),
  )
  .map((text) => `UPDATE _seg.clock SET "now" = "now" + interval '${text}'`);
const together = fc
  .tuple(move, insert)
  .map(([moved, inserted]) => `BEGIN; ${moved}; ${inserted}; ${moved}; COMMIT`);
const atOnce = fc.constant(
  `WITH moved AS (UPDATE _seg.clock SET "now" = "now" + interval '1 hour' RETURNING 1) UPDATE e SET v = v + 1 WHERE u = 1`,
);

export const clockHistory = (length: number): fc.Arbitrary<string[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: move },
        { weight: 4, arbitrary: insert },
        { weight: 3, arbitrary: change },
        { weight: 1, arbitrary: together },
        { weight: 1, arbitrary: atOnce },
      ),
      { minLength: length, maxLength: length },
    )
    .map((steps) => [`UPDATE _seg.clock SET "now" = '${START}'`, ...steps]);

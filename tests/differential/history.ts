/** Seeded histories over the test tables `a`, `b` and `c`: inserts, updates, deletes, upserts, truncates, transactions. */
import fc from 'fast-check';

export const tables = [
  'CREATE TABLE a (id integer PRIMARY KEY, k integer, g text, n integer, t timestamptz)',
  'CREATE TABLE b (id integer PRIMARY KEY, k integer, g text, x numeric)',
  'CREATE TABLE c (k integer, g text, f double precision)',
];

const small = fc.integer({ min: 0, max: 4 });
const number = fc.oneof(
  { weight: 6, arbitrary: small.map(String) },
  { weight: 1, arbitrary: fc.constant('NULL') },
);
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("'x'", "'y'", "'z'") },
  { weight: 1, arbitrary: fc.constant('NULL') },
);
const instant = small.map((m) => `'2024-01-01 00:0${m}:00+00'`);
const id = fc.integer({ min: 1, max: 12 });

const rowOf = {
  a: fc.tuple(id.map(String), number, text, number, instant).map((v) => `(${v.join(', ')})`),
  b: fc.tuple(id.map(String), number, text, number).map((v) => `(${v.join(', ')})`),
  c: fc
    .tuple(
      number,
      text,
      small.map((n) => `${n}.5`),
    )
    .map((v) => `(${v.join(', ')})`),
};

const insert = fc.constantFrom('a' as const, 'b' as const, 'c' as const).chain((table) =>
  fc.array(rowOf[table], { minLength: 1, maxLength: 5 }).chain((rows) =>
    fc.constantFrom('', 'nothing', 'update').map((conflict) => {
      if (table === 'c') return `INSERT INTO c VALUES ${rows.join(', ')}`;
      const once = [...new Map(rows.map((row) => [/\((\d+)/.exec(row)![1], row])).values()];
      const tail =
        conflict === 'update'
          ? ' ON CONFLICT (id) DO UPDATE SET k = excluded.k, g = excluded.g'
          : ' ON CONFLICT DO NOTHING';
      return `INSERT INTO ${table} VALUES ${once.join(', ')}${tail}`;
    }),
  ),
);

const where = fc.oneof(
  number.map((n) => `k = ${n}`),
  id.map((n) => `id > ${n}`),
  text.map((g) => `g = ${g}`),
  fc.constant('k IS NULL'),
  fc.constant('true'),
);

const update = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), where, fc.constantFrom('k', 'g', 'both', 'id'), number, text)
  .map(([table, condition, what, n, g]) => {
    const at = table === 'c' ? condition.replace(/^id > \d+/, 'k > 1') : condition;
    const set =
      what === 'k'
        ? `k = ${n}`
        : what === 'g'
          ? `g = ${g}`
          : what === 'both'
            ? `k = k + 1, g = ${g}`
            : table === 'c'
              ? 'f = f + 1'
              : 'id = id + 20';
    return `UPDATE ${table} SET ${set} WHERE ${at}`;
  });

const remove = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), where)
  .map(
    ([table, condition]) =>
      `DELETE FROM ${table} WHERE ${table === 'c' ? condition.replace(/^id > \d+/, 'k > 2') : condition}`,
  );

const truncate = fc.constantFrom('TRUNCATE a', 'TRUNCATE b', 'TRUNCATE c', 'TRUNCATE a, b');
const several = fc.constantFrom(
  "WITH gone AS (DELETE FROM a WHERE k = 1 RETURNING id, k) INSERT INTO c SELECT k, 'x', 1.5 FROM gone",
  "WITH one AS (UPDATE a SET k = 2 WHERE g = 'x' RETURNING k), two AS (DELETE FROM b WHERE g = 'x' RETURNING k) SELECT 1",
  'MERGE INTO a USING (SELECT DISTINCT ON (id) id, k, g FROM b ORDER BY id) AS s ON a.id = s.id WHEN MATCHED AND s.k = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET g = s.g, k = s.k WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, s.g, 1, NULL)',
);
const single = fc.oneof(
  { weight: 8, arbitrary: insert },
  { weight: 4, arbitrary: update },
  { weight: 3, arbitrary: remove },
  { weight: 1, arbitrary: several },
);
const transaction = fc
  .tuple(
    fc.array(single, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('COMMIT', 'COMMIT', 'ROLLBACK', 'SAVEPOINT'),
    single,
  )
  .map(([statements, end, last]) =>
    end === 'SAVEPOINT'
      ? `BEGIN; ${statements.join('; ')}; SAVEPOINT s; ${last}; ROLLBACK TO SAVEPOINT s; COMMIT`
      : `BEGIN; ${statements.join('; ')}; ${end}`,
  );

export const step = fc.oneof(
  { weight: 14, arbitrary: single },
  { weight: 2, arbitrary: transaction },
  { weight: 1, arbitrary: truncate },
);

export const history = (length: number): fc.Arbitrary<string[]> =>
  fc.array(step, { minLength: length, maxLength: length });

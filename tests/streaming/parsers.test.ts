/**
 * The statements that tests/streaming/command-line.e2e.slow.test.ts has seen (tests/golden/engines), read by parsers: every one for
 * Materialize by its own; and every query, for both engines, by PostgreSQL's, which the check of an engine's lacks builds on.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSqlParser, parseStatements } from '../../src/sql/parse.ts';
import { materialize } from '../../src/streaming/materialize.ts';
import { materializeParser } from './materialize-parser.ts';

const golden = join(import.meta.dirname, '..', 'golden', 'engines');
const statementsOf = (engine: string): string[] =>
  readFileSync(join(golden, `statements-${engine}.sql`), 'utf8')
    .trimEnd()
    .split(/;\n\n|;$/)
    .filter((sql) => sql.trim() !== '');

let parse: (sql: string) => void;
beforeAll(async () => {
  await loadSqlParser();
  parse = await materializeParser();
});

describe("Materialize's own parser", () => {
  it('refuses what is no statement of it', () => {
    expect(() => parse('SELECT 1 FROM t WINDOW w AS (PARTITION BY k)')).toThrow();
    expect(() => parse('INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING')).toThrow();
  });

  it('takes every statement that the project sends', () => {
    const statements = statementsOf('materialize');
    expect(statements.length).toBeGreaterThan(100);
    for (const sql of statements) parse(sql);
  });

  it('takes what the project does not need', () => {
    const dialect = materialize('big');
    const name = { schema: 's"x', name: "o'brien" };
    const columns = [
      'smallint',
      'integer',
      'bigint',
      'real',
      'double precision',
      'boolean',
      'date',
      'time',
      'timestamp',
      'timestamptz',
      'interval',
      'bytea',
      'json',
      'uuid',
      'numeric(10,2)',
      'varchar(20)',
      'text[]',
    ].map((type, i) => ({ name: `c "${i}`, type, notNull: i % 2 === 0 }));
    const view = {
      name,
      kind: 'materialized_view',
      query: 'SELECT 1 AS a',
      indexes: [['a', 'b "c']],
    } as const;
    const next = { schema: 's', name: 'b' };
    for (const sql of [
      ...dialect.createTable({ name, columns, key: [], onConflict: 'first' }),
      ...dialect.createTable({ name, columns, key: ['c "1'], onConflict: 'last' }),
      ...dialect.createTable({ name, columns, key: ['c "1'], onConflict: 'first' }),
      dialect.createModel(view),
      ...dialect.createIndexes(view),
      dialect.addColumn(name, columns[0]!),
      ...(['table', 'view', 'materialized_view', 'sink', 'source'] as const).map((kind) =>
        dialect.drop(kind, name),
      ),
      ...dialect.exchange([
        { standing: { ...name, kind: 'materialized_view' }, next: { ...next, kind: 'materialized_view' } },
        { standing: { ...name, kind: 'view' }, next: { ...next, kind: 'materialized_view' } },
      ]),
      dialect.readiness(name),
      dialect.progress(name),
      dialect.columnsOf(name),
      'SUBSCRIBE (SELECT * FROM "s"."x") WITH (PROGRESS, SNAPSHOT = false) AS OF 1700000000000',
      'DECLARE "seg_feed" CURSOR FOR SUBSCRIBE (SELECT * FROM "s"."x") WITH (PROGRESS, SNAPSHOT = false) AS OF 1700000000000',
    ])
      parse(sql);
  });
});

describe("PostgreSQL's parser", () => {
  it.each(['risingwave', 'materialize'])('takes every query for %s', (engine) => {
    const views = statementsOf(engine).flatMap((sql) => {
      const view = /^CREATE (?:MATERIALIZED )?VIEW [^\n]* AS\n([\s\S]*)$/.exec(sql)?.[1];
      return view ?? (/^(select|insert|delete)/i.test(sql) ? sql : []);
    });
    expect(views.length).toBeGreaterThan(100);
    for (const sql of views) expect(() => parseStatements(sql), sql).not.toThrow();
  });
});

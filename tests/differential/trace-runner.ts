/**
 * The differential oracle: views maintained beside their recomputation, compared after every statement.
 *
 *   driver     applies statements (one, or several in a transaction)
 *   observe    the view's rows, and the sum of its change feed
 *   recompute  its query, now
 */
import type { Connection } from '../../src/engines/connection.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import type { IncrementalView } from '../../src/incremental/incremental-view.ts';

export interface Case {
  /** Statements that make the tables, run before the views are made. */
  readonly schema: readonly string[];
  readonly views: readonly { readonly name: string; readonly sql: string }[];
  /** Each is one step: a statement, or several separated by semicolons (they run as one transaction). */
  readonly history: readonly string[];
}

export interface Mismatch {
  readonly step: number;
  readonly statement: string;
  readonly view: string;
  readonly what: string;
}

export interface Trace {
  readonly created: readonly IncrementalView[];
  readonly mismatch: Mismatch | null;
}

/** Runs one case in a database of its own making: schema `public` and the state schema are dropped first. */
export async function runCase(db: Connection, input: Case): Promise<Trace> {
  await db.exec('DROP SCHEMA IF EXISTS public CASCADE');
  await db.exec('DROP SCHEMA IF EXISTS "_seg" CASCADE');
  await db.exec('CREATE SCHEMA public');
  for (const statement of input.schema) await db.exec(statement);
  const created: IncrementalView[] = [];
  for (const { name, sql } of input.views)
    created.push(await createIncrementalView(db, name, sql, { changes: true }));
  const base = new Map<string, string>();
  for (const { name } of input.views) {
    await db.exec(`CREATE TABLE "base ${name}" AS SELECT to_jsonb(_v) AS "row" FROM "${name}" AS _v`);
    base.set(name, `"base ${name}"`);
  }
  for (const [step, statement] of input.history.entries()) {
    try {
      await db.exec(statement);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      await db.exec('ROLLBACK').catch(() => {});
      // Statements may fail by constraints; an error of maintenance bears a program in its context.
      if (error.context?.includes('PL/pgSQL function _seg.') === true) {
        return {
          created,
          mismatch: { step, statement, view: '', what: `${error.message}\n${error.context.slice(0, 3000)}` },
        };
      }
    }
    for (const { name, sql } of input.views) {
      const what = await compare(db, name, sql, base.get(name)!);
      if (what !== null) return { created, mismatch: { step, statement, view: name, what } };
    }
  }
  return { created, mismatch: null };
}

async function compare(db: Connection, name: string, sql: string, base: string): Promise<string | null> {
  const { rows } = await db.query<{ missing: string | null; extra: string | null }>(
    `WITH v AS MATERIALIZED (SELECT * FROM "${name}"), q AS MATERIALIZED (${sql})
     SELECT (SELECT jsonb_agg(x)::text FROM (SELECT * FROM q EXCEPT ALL SELECT * FROM v) AS x) AS missing,
            (SELECT jsonb_agg(x)::text FROM (SELECT * FROM v EXCEPT ALL SELECT * FROM q) AS x) AS extra`,
  );
  const { missing, extra } = rows[0]!;
  if (missing !== null || extra !== null)
    return `missing ${missing ?? 'nothing'}, extra ${extra ?? 'nothing'}`;
  const feed = await db.query<{ wrong: string | null; cancelled: string | null }>(
    `WITH node AS (SELECT node FROM "_seg".plan WHERE view = '"public"."${name}"'),
       log AS (SELECT epoch, "row", weight FROM "_seg".changelog WHERE node = (SELECT node FROM node))
     SELECT (SELECT jsonb_agg(x)::text FROM (
        SELECT "row", sum(w) FROM (
          SELECT "row", 1 AS w FROM ${base} UNION ALL SELECT "row", weight FROM log
          UNION ALL SELECT to_jsonb(_v), -1 FROM "${name}" AS _v) AS s GROUP BY "row" HAVING sum(w) <> 0) AS x) AS wrong,
       (SELECT jsonb_agg(x)::text FROM (SELECT epoch, "row" FROM log WHERE weight = 0) AS x) AS cancelled`,
  );
  const { wrong, cancelled } = feed.rows[0]!;
  if (wrong !== null) return `the feed does not add up: ${wrong}`;
  if (cancelled !== null) return `the feed holds changes that cancel: ${cancelled}`;
  return null;
}

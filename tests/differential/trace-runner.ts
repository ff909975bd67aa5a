/**
 * The differential oracle: views maintained beside their recomputation, compared after every statement.
 *
 *   driver     applies statements (one, or several in a transaction)
 *   observe    the view's rows, its hidden stages, and the sum of its change feed
 *   recompute  its query, now
 */
import type { Connection } from '../../src/engines/connection.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import type { IncrementalView } from '../../src/incremental/incremental-view.ts';
import { ensureState } from '../../src/state/schema.ts';
import { DeferredFunctions } from './deferred-functions.ts';
import { installOracle } from './oracle.ts';
import { copyPrefix, isPlain } from './statements.ts';

export interface CaseView {
  readonly name: string;
  readonly sql: string;
  /** A plain view, which seg reads through. */
  readonly plain?: boolean;
  /** Without a feed: then a step may write in one pass, and need not know what changed. */
  readonly silent?: boolean;
  /** Operators in it, for the count of what was met. */
  readonly constructs?: readonly string[];
}

export interface Case {
  /** Statements that make the tables, run before the views are made. */
  readonly schema: readonly string[];
  /** Statements that fill them, before the views are made; they may fail. */
  readonly before?: readonly string[];
  readonly views: readonly CaseView[];
  /** Each is one step: a statement, or several separated by semicolons (they run as one transaction). */
  readonly history: readonly string[];
  /** Where it came from, for people. */
  readonly about?: string;
}

export interface Mismatch {
  readonly step: number;
  readonly statement: string;
  readonly what: string;
}

export interface Trace {
  readonly created: readonly IncrementalView[];
  /** Views that the server itself refused: the generator's mistake, not seg's. */
  readonly refused: readonly { readonly view: CaseView; readonly why: string }[];
  /** Statements that were compared; those that failed by a constraint are not among them. */
  readonly compared: number;
  readonly mismatch: Mismatch | null;
}

/** Runs one case in a database of its own making: schema `public` and the state schema are dropped first. */
export async function runCase(db: Connection, input: Case): Promise<Trace> {
  // A program that does not compile fails when it first runs: to compile each as it is made takes half of the time.
  await db.exec('SET check_function_bodies = off');
  await db.exec('DROP SCHEMA IF EXISTS public, "_seg", oracle CASCADE; CREATE SCHEMA public');
  await db.transaction((tx) => ensureState(tx, '_seg'));
  for (const statement of input.schema) await db.exec(statement);
  for (const statement of input.before ?? []) await attempt(db, statement);
  const maker = new DeferredFunctions(db);
  const created: IncrementalView[] = [];
  const refused: { view: CaseView; why: string }[] = [];
  const kept: CaseView[] = [];
  const fail = (step: number, statement: string, what: string): Trace => ({
    created,
    refused,
    compared: step,
    mismatch: { step, statement, what },
  });
  for (const view of input.views) {
    try {
      // Whether the server takes the query at all is asked first, so that what fails after is seg's.
      await db.exec(`CREATE VIEW "${view.name}" AS ${view.sql}`);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      refused.push({ view, why: error.message });
      continue;
    }
    if (view.plain === true) continue;
    await db.exec(`DROP VIEW "${view.name}"`);
    try {
      created.push(
        await createIncrementalView(maker, view.name, view.sql, { changes: view.silent !== true }),
      );
      kept.push(view);
    } catch (error) {
      return fail(-1, view.name, `the view cannot be made: ${String(error)}\n${view.sql}`);
    }
  }
  await maker.flush();
  await installOracle(db, kept);
  // Where writing one table writes others, one statement is several changes.
  const alone = !input.schema.some((text) => /\b(TRIGGER|REFERENCES)\b/.test(text));
  for (const [step, statement] of ['', ...input.history].entries()) {
    const failure = statement === '' ? null : await attempt(db, statement);
    // Statements may fail by constraints; an error of maintenance bears a program in its context.
    if (failure !== null && /PL\/pgSQL function _seg\.|compilation of/.test(failure.context ?? '')) {
      return fail(step, statement, `${failure.message}\n${failure.context?.slice(0, 3000) ?? ''}`);
    }
    const plain = alone && failure === null && isPlain(statement);
    const { rows } = await db.query<{ what: string | null }>('SELECT oracle.check($1) AS what', [plain]);
    if (rows[0]!.what !== null) return fail(step, statement, rows[0]!.what);
  }
  return { created, refused, compared: input.history.length, mismatch: null };
}

async function attempt(db: Connection, statement: string): Promise<DatabaseError | null> {
  try {
    if (statement.startsWith(copyPrefix)) {
      const end = statement.indexOf('\n');
      await copyIn(db, statement.slice(copyPrefix.length, end), statement.slice(end + 1));
    } else await db.exec(statement);
    return null;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await db.exec('ROLLBACK').catch(() => {});
    return error;
  }
}

/** COPY table FROM, all columns. */
async function copyIn(db: Connection, table: string, lines: string): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
    [table],
  );
  await db.copyFrom(
    table,
    rows.map(({ name }) => name),
    lines,
  );
}

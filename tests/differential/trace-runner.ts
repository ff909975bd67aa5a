/**
 * The differential oracle: views maintained beside their recomputation, compared after every statement.
 *
 *   driver     applies statements (one, or several in a transaction)
 *   observe    the view's rows, its hidden stages, and the sum of its change feed
 *   recompute  its query, now
 *
 * A statement that fails is right only where it fails without views too, or where the query of a view fails on what it
 * leaves; one that takes far longer than all comparisons is wrong as well.
 */
import type { Connection } from '../../src/engines/connection.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import type { IncrementalView } from '../../src/incremental/incremental-view.ts';
import { quoteIdentifier, quoteRelation } from '../../src/sql/quote.ts';
import { ensureState } from '../../src/state/schema.ts';
import { DeferredFunctions } from './deferred-functions.ts';
import { expectedView, installOracle, oracleSchema } from './oracle.ts';
import { copyPrefix, isPlain } from './statements.ts';
import { WorkClock } from './work-clock.ts';
import type { Phase } from './work-clock.ts';

export interface CaseView {
  readonly name: string;
  readonly sql: string;
  /** A plain view, which seg reads through. */
  readonly plain?: boolean;
  /** Without a feed: then a step may write in one pass, and need not know what changed. */
  readonly silent?: boolean;
  /** Whether seg may, or must, refuse to make it. */
  readonly refusal?: 'may' | 'must';
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
  /** Views that the server itself refused, or whose query fails on the rows that are there: the generator's mistake, not seg's. */
  readonly refused: readonly { readonly view: CaseView; readonly why: string }[];
  /** Views that seg refused, and may refuse. */
  readonly declined: readonly { readonly view: CaseView; readonly why: string }[];
  /** Statements that were compared; those that failed by a constraint are not among them. */
  readonly compared: number;
  /** Statements after which the query of a view failed, so that there was nothing to compare with. */
  readonly unanswerable: number;
  readonly mismatch: Mismatch | null;
  readonly milliseconds: Readonly<Record<Phase, number>>;
}

/**
 * Runs one case in a database of its own making: schema `public` and the state schema are dropped first.
 * @param server the process that works, if it is not this one
 */
export async function runCase(db: Connection, input: Case, server?: number): Promise<Trace> {
  return new CaseRun(db, input, server).run();
}

/** Makes everything anew up to the views. */
export async function prepare(db: Connection, input: Pick<Case, 'schema' | 'before'>): Promise<void> {
  // A program that does not compile fails when it first runs: to compile each as it is made takes half of the time.
  await db.exec(`SET check_function_bodies = off; SET search_path = public, pg_catalog;
    DROP SCHEMA IF EXISTS public, "_seg", ${oracleSchema} CASCADE; CREATE SCHEMA public; CREATE SCHEMA ${oracleSchema}`);
  await db.transaction((tx) => ensureState(tx, '_seg'));
  for (const statement of input.schema) await db.exec(statement);
  for (const statement of input.before ?? []) await attempt(db, statement);
}

class CaseRun {
  readonly #db: Connection;
  readonly #input: Case;
  readonly #clock: WorkClock;
  readonly #created: IncrementalView[] = [];
  readonly #refused: { view: CaseView; why: string }[] = [];
  readonly #declined: { view: CaseView; why: string }[] = [];
  readonly #kept: CaseView[] = [];
  #compared = 0;
  #unanswerable = 0;

  constructor(db: Connection, input: Case, server: number | undefined) {
    this.#clock = new WorkClock(server);
    this.#db = db;
    this.#input = input;
  }

  async run(): Promise<Trace> {
    await prepare(this.#db, this.#input);
    this.#clock.lap('schema');
    const mismatch = (await this.#makeViews()) ?? (await this.#follow());
    return {
      created: this.#created,
      refused: this.#refused,
      declined: this.#declined,
      compared: this.#compared,
      unanswerable: this.#unanswerable,
      mismatch,
      milliseconds: this.#clock.laps,
    };
  }

  async #makeViews(): Promise<Mismatch | null> {
    const maker = new DeferredFunctions(this.#db);
    const missing = new Set<string>();
    for (const view of this.#input.views) {
      const problem = await this.#makeView(maker, view, missing);
      if (problem !== null) return problem;
      this.#clock.lap('views');
    }
    await maker.flush();
    this.#clock.lap('views');
    await installOracle(this.#db, this.#kept);
    this.#clock.lap('oracle');
    return null;
  }

  async #makeView(maker: Connection, view: CaseView, missing: Set<string>): Promise<Mismatch | null> {
    const name = quoteIdentifier(view.name);
    // A query over a view that is not there says nothing.
    if ([...missing].some((each) => view.sql.includes(each))) {
      missing.add(name);
      return null;
    }
    try {
      // Whether the server takes the query at all is asked first, so that what fails after is seg's.
      await this.#db.exec(
        `CREATE VIEW ${view.plain === true ? `public.${name}` : expectedView(view.name)} AS ${view.sql}`,
      );
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      missing.add(name);
      this.#refused.push({ view, why: error.message });
      return null;
    }
    if (view.plain === true) return null;
    const fail = (what: string): Mismatch => ({
      step: -1,
      statement: view.name,
      what: `${what}\n${view.sql}`,
    });
    try {
      this.#created.push(
        await createIncrementalView(maker, view.name, view.sql, { changes: view.silent !== true }),
      );
      this.#kept.push(view);
    } catch (error) {
      missing.add(name);
      if (view.refusal !== undefined && isRefusal(error)) {
        this.#declined.push({ view, why: String(error) });
        return null;
      }
      const why = await evaluate(this.#db, [view]);
      if (why !== null) {
        this.#refused.push({ view, why });
        return null;
      }
      return fail(`the view cannot be made: ${String(error)}`);
    }
    if (view.refusal === 'must') return fail('the view was not refused');
    const took = this.#clock.since();
    if (took > MOST_TO_MAKE) return fail(`making the view took ${Math.round(took)} ms`);
    return null;
  }

  async #follow(): Promise<Mismatch | null> {
    const db = this.#db;
    // Where writing one table writes others, one statement is several changes.
    let alone = !this.#input.schema.some((text) => /\b(TRIGGER|REFERENCES)\b/.test(text));
    for (const [step, statement] of ['', ...this.#input.history].entries()) {
      if (/\bCREATE TRIGGER\b/.test(statement)) alone = false;
      this.#clock.lap('statements');
      const failure = statement === '' ? null : await attempt(db, statement);
      const took = this.#clock.lap('statements');
      const fail = (what: string): Mismatch => ({ step, statement, what });
      if (failure !== null && !isOfConstraint(failure)) {
        const legitimate = await this.#failsAnyway(statement);
        if (!legitimate)
          return fail(
            `the statement fails: ${failure.message}\n${failure.detail ?? ''}\n${failure.context?.slice(0, 3000) ?? ''}`,
          );
      }
      const wrong = await this.#compare(alone && failure === null && isPlain(statement));
      if (wrong !== null) return fail(wrong);
      const comparison = this.#clock.lap('comparisons');
      if (took > MOST_WORK && took > comparison * MOST_TIMES)
        return fail(
          `the statement takes too long: ${Math.round(took)} ms, where all comparisons took ${Math.round(comparison)} ms`,
        );
      this.#compared = step;
    }
    return null;
  }

  /** What is wrong, or null. */
  async #compare(plain: boolean): Promise<string | null> {
    try {
      const { rows } = await this.#db.query<{ what: string | null }>('SELECT oracle.check($1) AS what', [
        plain,
      ]);
      return rows[0]!.what;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if ((await evaluate(this.#db, this.#kept)) === null)
        return `the comparison fails: ${error.message}\n${error.context?.slice(0, 1000) ?? ''}`;
      this.#unanswerable++;
      // The next comparison must not take the changes of this statement for its own.
      await this.#db.exec('UPDATE oracle.epoch SET seen = (SELECT epoch FROM "_seg".epoch)');
      return null;
    }
  }

  /** Whether the statement fails without views too, or leaves rows on which the query of a view fails. */
  async #failsAnyway(statement: string): Promise<boolean> {
    const parts = statement.startsWith('BEGIN; ')
      ? statement
          .slice('BEGIN; '.length)
          .replace(/; (COMMIT|ROLLBACK)$/, '')
          .split('; ')
      : [statement];
    await this.#db.exec("BEGIN; SET LOCAL session_replication_role = 'replica'");
    try {
      // Triggers of the user's go on.
      const { rows } = await this.#db.query<{ sql: string }>(
        `SELECT pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tgrelid::pg_catalog.regclass, t.tgname) AS sql
         FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid WHERE p.proname LIKE 'on_write%'`,
      );
      for (const { sql } of rows) await this.#db.exec(sql);
      // An index that seg has made evaluates its expression for every row that is written.
      const made = await this.#db.query<{ sql: string }>(
        `SELECT DISTINCT pg_catalog.format('DROP INDEX %I.%I', schema_name, index_name) AS sql FROM "_seg".derived_index`,
      );
      for (const { sql } of made.rows) await this.#db.exec(sql);
      // With their triggers off, views do not follow: views that read others must read queries.
      const plain = (name: string): string => quoteRelation({ schema: 'plain views', name });
      await this.#db.exec(`CREATE SCHEMA "plain views"`);
      await this.#db.query(
        `SELECT pg_catalog.set_config('search_path', '"plain views", ' || pg_catalog.current_setting('search_path'), true)`,
      );
      for (const { name, sql } of this.#kept) await this.#db.exec(`CREATE VIEW ${plain(name)} AS ${sql}`);
      for (const part of parts) {
        try {
          await run(this.#db, part);
        } catch {
          return true;
        }
        if ((await evaluate(this.#db, this.#kept, plain)) !== null) return true;
      }
      return false;
    } finally {
      await this.#db.exec('ROLLBACK');
    }
  }
}

/** A statement that takes longer than this many milliseconds, and this many times as long as the comparisons, is wrong. */
const MOST_WORK = 3000;
const MOST_TIMES = 40;
/** Milliseconds for making one view. */
const MOST_TO_MAKE = 10_000;

/** Generated statements may fail by constraints, and write a row twice; whatever else they meet is looked into. */
function isOfConstraint(error: DatabaseError): boolean {
  const ofProgram = /PL\/pgSQL function (_seg|"_seg")\./.test(error.context ?? '') || error.schema === '_seg';
  return /^(23|21)/.test(error.sqlstate) && !ofProgram;
}

/** Refusals are said in seg's own words; what the server says, or a broken invariant, is none. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    !(error instanceof DatabaseError) &&
    !/invariant|call stack|undefined/.test(error.message)
  );
}

/** Evaluates every column of the queries; what the server says when it cannot, else null. */
async function evaluate(
  db: Connection,
  views: readonly CaseView[],
  relation: (name: string) => string = expectedView,
): Promise<string | null> {
  try {
    for (const { name } of views)
      await db.exec(`SELECT pg_catalog.count(pg_catalog.to_jsonb(x.*)) FROM ${relation(name)} AS x`);
    return null;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return error.message;
  }
}

async function attempt(db: Connection, statement: string): Promise<DatabaseError | null> {
  try {
    await run(db, statement);
    return null;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await db.exec('ROLLBACK').catch(() => {});
    return error;
  }
}

async function run(db: Connection, statement: string): Promise<void> {
  if (statement.startsWith(copyPrefix)) {
    const end = statement.indexOf('\n');
    await copyIn(db, statement.slice(copyPrefix.length, end), statement.slice(end + 1));
  } else await db.exec(statement);
}

/** COPY table FROM, all columns. */
async function copyIn(db: Connection, table: string, lines: string): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT attname::pg_catalog.text AS name FROM pg_catalog.pg_attribute WHERE attrelid = $1::pg_catalog.regclass AND attnum > 0 ORDER BY attnum`,
    [table],
  );
  await db.copyFrom(
    table,
    rows.map(({ name }) => name),
    lines,
  );
}

/**
 * Data tests (generic and singular), with dbt's semantics: the test's query gives the failing rows, `fail_calc` makes a
 * number of them, and `error_if` / `warn_if` judge it.
 * What is new: with `store_failures` the failing rows are a maintained view, which is read instead of running the query.
 */
import { DatabaseError, type Connection } from '../engines/connection.ts';
import { placeError } from '../deploy/place-error.ts';
import { storesFailures } from '../deploy/spec.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { TestNode } from '../project/nodes.ts';
import { readCells, type TypedRelation } from './typed-rows.ts';
import { diffRows } from './row-diff.ts';
import { diffText } from './row-diff-text.ts';
import { errorLines } from './step-outcome.ts';
import { plural, type TestResult } from './test-result.ts';

/** The slice of a project a data test needs. */
export interface TestedProject {
  readonly sourceMaps: ReadonlyMap<string, SourceMap>;
}

export interface DataTestOptions {
  readonly colors?: boolean;
  /** Failing rows shown as a sample; 0 for none. */
  readonly sample?: number;
  /** What an engine's error says of the failing rows' query, where that is not told as PostgreSQL tells it. */
  readonly refusal?: (error: unknown, query: string, linesBefore: number) => unknown;
}

/**
 * Runs one test. Never throws for what the test or the data do wrong: an SQL error is a result of status `error`.
 * A test that stores its failures must have been deployed; when its view is not there the query runs instead.
 */
export async function runDataTest(
  db: Connection,
  project: TestedProject,
  node: TestNode,
  options: DataTestOptions = {},
): Promise<TestResult> {
  const started = performance.now();
  const base = { uniqueId: node.unique_id, kind: 'test' as const, name: node.name };
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const stored = await readsView(db, node);
    const failing = stored
      ? `select * from ${node.relation_name}`
      : withoutSemicolon(node.compiled_code ?? '');
    const { failures, should_warn, should_error } = await judge(db, project, node, failing, options);
    const { status, message } = verdict(node, failures, should_warn, should_error);
    const detail = status === 'pass' ? undefined : await sampleText(db, node, failing, options);
    return {
      ...base,
      status,
      failures: status === 'pass' ? 0 : failures,
      message,
      seconds: seconds(),
      ...(detail === undefined ? {} : { detail }),
      at: node.at,
    };
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    const [diagnostic] = error.diagnostics;
    const message = diagnostic?.message ?? error.message;
    const at = diagnostic?.at ?? node.at;
    return {
      ...base,
      status: 'error',
      failures: null,
      message,
      seconds: seconds(),
      detail: errorLines(error).join('\n'),
      at,
      diagnostics: error.diagnostics,
    };
  }
}

/** Whether a maintained (or plain) view holds the failing rows now. A stored *table* is as old as its last run. */
async function readsView(db: Connection, node: TestNode): Promise<boolean> {
  if (!storesFailures(node) || node.config.store_failures_as === 'table' || node.relation_name === null)
    return false;
  const { rows } = await db.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    node.relation_name,
  ]);
  return rows[0]!.there;
}

interface Judged {
  readonly failures: number;
  readonly should_warn: boolean;
  readonly should_error: boolean;
}

/** dbt's wrapper, word for word (get_test_sql); fail_calc, warn_if and error_if are SQL of the user. */
async function judge(
  db: Connection,
  project: TestedProject,
  node: TestNode,
  failing: string,
  { refusal }: DataTestOptions,
): Promise<Judged> {
  const { fail_calc, warn_if, error_if, limit } = node.config;
  const before = `select ${fail_calc} as failures, ${fail_calc} ${warn_if} as should_warn, ${fail_calc} ${error_if} as should_error\nfrom (\n`;
  const statement = `${before}${failing}\n${limit === null ? '' : `limit ${Number(limit)}\n`}) dbt_internal_test`;
  try {
    const { rows } = await db.query<Judged>(statement);
    const { failures, should_warn, should_error } = rows[0]!;
    // An aggregate over no rows (`fail_calc: sum(x)`) is NULL: nothing failed.
    return {
      failures: Number(failures ?? 0),
      should_warn: should_warn === true,
      should_error: should_error === true,
    };
  } catch (error) {
    if (refusal !== undefined) throw refusal(error, failing, before.split('\n').length - 1);
    const sourceMap = project.sourceMaps.get(node.unique_id) ?? null;
    const query = { queryOffset: before.length, queryLength: failing.length, sourceMap, at: node.at };
    throw placeError(error, { label: `test "${node.name}"`, statement, ...query });
  }
}

/** dbt's TestRunner: severity ERROR looks at error_if first, then both look at warn_if. */
function verdict(
  node: TestNode,
  failures: number,
  shouldWarn: boolean,
  shouldError: boolean,
): { status: 'pass' | 'warn' | 'fail'; message: string | null } {
  const got = `Got ${plural(failures, 'result')}`;
  if (node.config.severity.toUpperCase() === 'ERROR' && shouldError) {
    return { status: 'fail', message: `${got}, configured to fail if ${node.config.error_if}` };
  }
  if (shouldWarn) return { status: 'warn', message: `${got}, configured to warn if ${node.config.warn_if}` };
  return { status: 'pass', message: null };
}

/** The first failing rows as a table; undefined when they cannot be shown. */
async function sampleText(
  db: Connection,
  node: TestNode,
  failing: string,
  { sample = 5, colors = false }: DataTestOptions,
): Promise<string | undefined> {
  if (sample === 0) return undefined;
  try {
    return await db.transaction(async (tx) => {
      const { fields } = await tx.query(`select * from (\n${failing}\n) "failing" limit 0`);
      const names = fields.map(({ name }) => name);
      if (names.length === 0 || new Set(names).size < names.length) return undefined;
      const relation: TypedRelation = {
        sql: `(\n${failing}\n)`,
        title: `test "${node.name}"`,
        columns: names.map((name) => ({ name, type: 'text' })),
      };
      const actual = await readCells(tx, relation, relation.columns, `limit ${sample}`);
      const diff = diffRows({ columns: names, expected: [], actual });
      return diffText(diff, { colors, most: sample });
    });
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

/** Template authors end queries with a semicolon, which a subquery cannot hold. */
function withoutSemicolon(sql: string): string {
  return sql.replace(/;\s*$/, '');
}

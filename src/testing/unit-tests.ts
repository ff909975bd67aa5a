/**
 * Unit tests in dbt's YAML: one model, given rows for everything it reads, expected rows. The model is rendered with its
 * inputs replaced by tables of the given rows and run in an engine in memory; the user's database is not touched.
 */
import { setClock } from '../clock/clock.ts';
import { placeError } from '../deploy/place-error.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError, type Connection } from '../engines/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { RenderOverrides } from '../project/compile.ts';
import { allNodes } from '../project/manifest.ts';
import type { ModelNode, UnitTestNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { ensureState } from '../state/schema.ts';
import { keyIndexes } from './expect-step.ts';
import type { Cell, ExpectedCell } from './matchers.ts';
import { diffRows } from './row-diff.ts';
import { diffSummary, diffText } from './row-diff-text.ts';
import { clockAtStart } from './scenario-base.ts';
import { errorLines, StepMistake } from './step-outcome.ts';
import type { TestResult } from './test-result.ts';
import { TypeCatalog } from './type-catalog.ts';
import {
  castRows,
  ExpectationMistake,
  namedColumns,
  readCells,
  relationColumns,
  type RelationColumn,
  type TypedRelation,
} from './typed-rows.ts';
import { fillInput, fillSeed, isWithoutRows, readInput, rowsOf, textOf } from './unit-inputs.ts';

export interface UnitTestOptions {
  readonly colors?: boolean;
  /** Differences shown per test. */
  readonly most?: number;
  /** Tests that have not begun when it is aborted are left out of the results. */
  readonly signal?: AbortSignal;
  readonly onStart?: (uniqueId: string) => void;
  readonly onResult?: (result: TestResult) => void;
}

/** Runs unit tests one after the other in one engine; each leaves nothing behind. */
export async function runUnitTests(
  project: Project,
  nodes: readonly UnitTestNode[],
  options: UnitTestOptions = {},
): Promise<TestResult[]> {
  if (nodes.length === 0) return [];
  const db = await openMemoryDatabase();
  try {
    const state = stateSchemaOf(project);
    await db.transaction(async (tx) => {
      await ensureState(tx, state);
      await tx.query(`update ${quoteIdentifier(state)}.clock set "now" = $1::timestamptz`, [clockAtStart]);
    });
    const catalog = new TypeCatalog(db, project);
    const results: TestResult[] = [];
    for (const node of nodes) {
      if (options.signal?.aborted === true) break;
      options.onStart?.(node.unique_id);
      const result = await runOne(db, catalog, project, node, options);
      results.push(result);
      options.onResult?.(result);
    }
    return results;
  } finally {
    await db.close();
  }
}

/** Thrown to end the transaction of a test, which must leave nothing behind. */
class Finished extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super('finished');
    this.outcome = outcome;
  }
}

type Outcome = Pick<TestResult, 'status' | 'failures' | 'message' | 'detail'>;

async function runOne(
  db: Connection,
  catalog: TypeCatalog,
  project: Project,
  node: UnitTestNode,
  options: UnitTestOptions,
): Promise<TestResult> {
  const started = performance.now();
  const finish = (outcome: Outcome, at = node.at): TestResult => ({
    uniqueId: node.unique_id,
    kind: 'unit_test',
    name: `${node.model}::${node.name}`,
    seconds: (performance.now() - started) / 1000,
    at,
    ...outcome,
  });
  try {
    const { model, inputs } = await prepare(catalog, project, node);
    await db.transaction(async (tx) => {
      throw new Finished(await judge(tx, catalog, project, node, model, inputs, options));
    });
  } catch (error) {
    if (error instanceof Finished) return finish(error.outcome);
    const known = [SegError, DatabaseError, StepMistake, ExpectationMistake].some(
      (type) => error instanceof type,
    );
    if (!known) throw error;
    const diagnostic = error instanceof SegError ? error.diagnostics[0] : undefined;
    const lines = errorLines(error);
    if (error instanceof ExpectationMistake && error.hint !== undefined) lines.push(`hint: ${error.hint}`);
    const message = diagnostic?.message ?? lines[0]!;
    return finish(
      { status: 'error', failures: null, message, detail: lines.join('\n') },
      diagnostic?.at ?? node.at,
    );
  }
  throw new Error('invariant: a unit test ends its transaction');
}

/** One input, its replacement's name, and the relation whose columns it has. */
interface Input {
  readonly index: number;
  /** `ref('x')` as an override's key: the model's name, `source.table`, or null for `this`. */
  readonly kind: 'ref' | 'source' | 'this';
  readonly key: string;
  readonly id: string;
  readonly like: TypedRelation;
  readonly table: { readonly schema: string; readonly name: string };
}

const unitSchema = '_seg_unit';

async function prepare(
  catalog: TypeCatalog,
  project: Project,
  node: UnitTestNode,
): Promise<{ model: ModelNode; inputs: Input[] }> {
  const nodes = allNodes(project.manifest);
  const model =
    node.depends_on.nodes
      .map((id) => nodes.get(id))
      .find((found) => found?.name === node.model && found.resource_type === 'model') ??
    [...nodes.values()].find((found) => found.name === node.model && found.resource_type === 'model');
  if (model?.resource_type !== 'model') throw new StepMistake(`unknown model "${node.model}"`);
  const inputs: Input[] = [];
  for (const [index, given] of node.given.entries()) {
    const input = readInput(project, given.input);
    const of = input.kind === 'this' ? model : input.node;
    const key = of.resource_type === 'source' ? `${of.source_name}.${of.name}` : of.name;
    const like = await catalog.relation(of.unique_id);
    if (like.columns.length === 0)
      throw new StepMistake(`the columns of ${given.input} are not known`, {
        hint: 'Declare the columns of the source with their types.',
      });
    // Its own name, because a query may qualify columns with it; a schema of its own, because two inputs may share it.
    const name = of.resource_type === 'source' ? of.identifier : of.alias;
    const table = { schema: `${unitSchema}_${index + 1}`, name };
    if (inputs.some((other) => other.kind === input.kind && other.id === of.unique_id)) {
      throw new StepMistake(`input ${given.input} is given twice`);
    }
    inputs.push({ index, kind: input.kind, key, id: of.unique_id, like, table });
  }
  for (const parent of model.depends_on.nodes) {
    const found = nodes.get(parent);
    if (found === undefined || inputs.some(({ id, kind }) => id === parent && kind !== 'this')) continue;
    const call =
      found.resource_type === 'source'
        ? `source('${found.source_name}', '${found.name}')`
        : `ref('${found.name}')`;
    throw new StepMistake(`model "${model.name}" reads ${call}, which is not given`, {
      hint: `Add "- input: ${call}" with its rows, or "rows: []" for none.`,
    });
  }
  return { model, inputs };
}

async function judge(
  tx: Connection,
  catalog: TypeCatalog,
  project: Project,
  node: UnitTestNode,
  model: ModelNode,
  inputs: readonly Input[],
  options: UnitTestOptions,
): Promise<Outcome> {
  const { now } = node.config;
  if (typeof now === 'string' || typeof now === 'number')
    await setClock(tx, String(now), stateSchemaOf(project));
  await tx.exec(`create schema ${quoteIdentifier(unitSchema)}`);
  for (const input of inputs) await make(tx, catalog, project, node, input);
  const actual = await makeActual(tx, project, node, model, inputs);

  const { columns, cells } = await expectedRows(tx, node, actual);
  const names = columns.map(({ name }) => name);
  const diff = diffRows({
    columns: names,
    expected: cells,
    actual: await readCells(tx, actual, columns),
    key: keyIndexes([model.config.unique_key ?? []].flat(), names),
  });
  const failures = diff.differences.length;
  if (failures === 0) return { status: 'pass', failures: 0, message: null };
  return {
    status: 'fail',
    failures,
    message: `actual differs from expected: ${diffSummary(diff)}`,
    detail: diffText(diff, options),
  };
}

/** The table that stands for an input: the columns of the real one, the given rows. */
async function make(
  tx: Connection,
  catalog: TypeCatalog,
  project: Project,
  node: UnitTestNode,
  input: Input,
): Promise<void> {
  const given = node.given[input.index]!;
  const sql = quoteRelation(input.table);
  const list = input.like.columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  await tx.exec(
    `create schema ${quoteIdentifier(input.table.schema)}; create table ${sql} (${list.join(', ')})`,
  );
  const title = `input ${given.input}`;
  const seed = project.manifest.nodes[input.id];
  try {
    if (seed?.resource_type === 'seed' && isWithoutRows(project, node, input.index))
      await fillSeed(tx, catalog, seed, input.table);
    else await fillInput(tx, { sql, title, columns: input.like.columns }, given);
  } catch (error) {
    if (error instanceof ExpectationMistake) {
      const row = error.row === undefined ? '' : `, row ${error.row + 1}`;
      throw new StepMistake(`${title}${row}: ${error.message}`, { hint: error.hint, cause: error });
    }
    if (error instanceof StepMistake)
      throw new StepMistake(`${title}: ${error.message}`, { hint: error.hint, cause: error });
    throw error;
  }
}

/** A view of the model's rows over the given inputs. */
async function makeActual(
  tx: Connection,
  project: Project,
  node: UnitTestNode,
  model: ModelNode,
  inputs: readonly Input[],
): Promise<TypedRelation> {
  const named = (kind: Input['kind']): Record<string, string> =>
    Object.fromEntries(
      inputs.filter((input) => input.kind === kind).map(({ key, table }) => [key, quoteRelation(table)]),
    );
  const { vars, env_vars, macros } = node.overrides;
  const self = inputs.find(({ kind }) => kind === 'this');
  const overrides: RenderOverrides = {
    refs: named('ref'),
    sources: named('source'),
    ...(self === undefined ? {} : { this: quoteRelation(self.table) }),
    ...(Object.keys(vars).length === 0 ? {} : { vars }),
    ...(Object.keys(env_vars).length === 0 ? {} : { envVars: env_vars }),
    ...(Object.keys(macros).length === 0 ? {} : { macros }),
  };
  const { text, map } = project.renderNode(model.unique_id, overrides);
  const sql = quoteRelation({ schema: unitSchema, name: 'actual' });
  const title = `model "${model.name}"`;
  const before = `create view ${sql} as\n`;
  const statement = `${before}${text}`;
  try {
    await tx.query(statement);
  } catch (error) {
    throw placeError(error, {
      label: title,
      statement,
      queryOffset: before.length,
      queryLength: text.length,
      sourceMap: map,
      at: model.at,
    });
  }
  return { sql, title, columns: await relationColumns(tx, sql) };
}

/** Expected rows in the types of the model's columns; only the columns they name are compared. */
async function expectedRows(
  tx: Connection,
  node: UnitTestNode,
  actual: TypedRelation,
): Promise<{ columns: readonly RelationColumn[]; cells: ExpectedCell[][] | Cell[][] }> {
  const { rows, format } = node.expect;
  if (format === 'sql') {
    const list = actual.columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
    const table = quoteRelation({ schema: unitSchema, name: 'expected' });
    await tx.exec(`create table ${table} (${list.join(', ')})`);
    await fillInput(tx, { sql: table, title: 'the expected rows', columns: actual.columns }, node.expect);
    const { fields } = await tx.query(
      `select * from (\n${textOf(rows).replace(/;\s*$/, '')}\n) "given" limit 0`,
    );
    const columns = actual.columns.filter(({ name }) => fields.some((field) => field.name === name));
    return { columns, cells: await readCells(tx, { ...actual, sql: table }, columns) };
  }
  const given = rowsOf(rows, format);
  const columns = given.length === 0 ? actual.columns : namedColumns(actual, given);
  return { columns, cells: await castRows(tx, actual, columns, given) };
}

/** `expect:`: the content of a relation now. */
import { rowsEdit } from './expectation-edit.ts';
import { loadRows } from './load-rows.ts';
import { diffRows } from './row-diff.ts';
import { diffSummary } from './row-diff-text.ts';
import type { ExpectStep, RowsSource, Scenario, YamlPath } from './scenario.ts';
import type { NamedRelation, ScenarioEngine } from './scenario-engine.ts';
import { StepMistake, type StepFailure } from './step-outcome.ts';
import { plural } from './test-result.ts';
import {
  canonicalSql,
  castRows,
  castValues,
  columnsNamed,
  ExpectationMistake,
  namedColumns,
  readCells,
  relationColumns,
  type TypedRelation,
} from './typed-rows.ts';

/** What a check of rows is about: where it stands, and where files are found. */
export interface StepContext {
  readonly engine: ScenarioEngine;
  readonly scenario: Scenario;
  readonly root: string;
}

/** Failures of one expectation (none when it holds) and what to note of it in a trace. */
export interface Checked {
  readonly failures: readonly StepFailure[];
  readonly note: string;
}

export async function checkExpect(step: ExpectStep, context: StepContext): Promise<Checked> {
  const { engine, scenario, root } = context;
  const named = findRelation(engine, step.model, step.path);
  const relation = await typedRelation(engine, named, step.path);
  const rows = step.rows === null ? [] : await loadRows(step.rows, scenario, root);
  return placing(step.rows, step.path, async () => {
    const columns =
      step.columns !== null
        ? columnsNamed(relation, step.columns)
        : rows.length > 0
          ? namedColumns(relation, rows)
          : relation.columns;
    for (const [index, row] of rows.entries()) {
      const stray = Object.keys(row).find((name) => !columns.some((column) => column.name === name));
      if (stray === undefined) continue;
      throw new ExpectationMistake(`column "${stray}" is not among the compared "columns"`, {
        row: index,
        column: stray,
      });
    }
    const { sql, params } = await clauses(step, relation, context);
    const expected = await castRows(engine.db, relation, columns, rows);
    const actual = await readCells(engine.db, relation, columns, sql, params);
    const failures: StepFailure[] = [];
    const at = scenario.locate(step.path);
    if (step.rows !== null) {
      const names = columns.map((column) => column.name);
      const key = keyIndexes(step.key ?? named.key, names);
      const { contains } = step;
      const diff = diffRows({
        columns: names,
        expected,
        actual,
        key,
        contains,
        ordered: step.ordered !== null,
      });
      if (diff.differences.length > 0) {
        const count = diff.differences.length;
        failures.push({
          message: `${named.title}: ${diffSummary(diff)}`,
          diff,
          count,
          at: scenario.locate(step.rows.path),
          edit: contains
            ? undefined
            : rowsEdit(
                step.rows,
                diff,
                columns.map((column) => ({ ...column, before: false })),
                rows.length,
              ),
        });
      }
    }
    if (step.count !== null && step.count !== actual.length) {
      const message = `${named.title}: expected ${plural(step.count, 'row')}, there ${actual.length === 1 ? 'is' : 'are'} ${actual.length}`;
      const edit = { path: [...step.path, 'count'], kind: 'scalar', text: String(actual.length) } as const;
      failures.push({ message, count: Math.abs(step.count - actual.length), at, edit });
    }
    const asked = step.contains ? plural(expected.length, 'row') : plural(actual.length, 'row');
    return { failures, note: `${named.title}: ${asked}` };
  });
}

/** WHERE and ORDER BY of an expectation. A mapping's values are compared by type, as rows are. */
async function clauses(
  step: ExpectStep,
  relation: TypedRelation,
  { engine, scenario }: StepContext,
): Promise<{ sql: string; params: unknown[] }> {
  const parts: string[] = [];
  const params: unknown[] = [];
  if (typeof step.where === 'string') parts.push(`where (${engine.render(step.where, scenario.file)}\n)`);
  else if (step.where !== null) {
    const columns = columnsNamed(relation, Object.keys(step.where));
    const [cells] = await castValues(engine.db, relation, columns, [step.where]);
    const conditions = columns.map((column, i) => {
      params.push(cells![i]);
      return `${canonicalSql(column)} is not distinct from $${i + 1}::text`;
    });
    if (conditions.length > 0) parts.push(`where ${conditions.join(' and ')}`);
  }
  if (step.ordered !== null) parts.push(`order by ${engine.render(step.ordered, scenario.file)}`);
  return { sql: parts.join(' '), params };
}

export function findRelation(engine: ScenarioEngine, name: string, path: YamlPath): NamedRelation {
  try {
    return engine.find(name);
  } catch (error) {
    if (error instanceof StepMistake)
      throw new StepMistake(error.message, { hint: error.hint, path: error.path ?? path });
    throw error;
  }
}

export async function typedRelation(
  engine: ScenarioEngine,
  named: NamedRelation,
  path: YamlPath,
): Promise<TypedRelation> {
  const columns = await relationColumns(engine.db, named.sql);
  if (columns.length > 0) return { sql: named.sql, title: named.title, columns };
  throw new StepMistake(`${named.title} is no relation of the engine`, {
    path,
    hint: 'An ephemeral model has no rows of its own: expect a model that reads it.',
  });
}

/** Indexes of the key's columns; empty when not all of them are compared. */
export function keyIndexes(key: readonly string[], columns: readonly string[]): number[] {
  const indexes = key.map((name) => columns.indexOf(name));
  return indexes.includes(-1) ? [] : indexes;
}

/** Gives a mistake in expected rows its place in the YAML. */
export async function placing<T>(
  rows: RowsSource | null,
  path: YamlPath,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ExpectationMistake)) throw error;
    const isList = rows?.kind === 'inline' && Array.isArray(rows.rows);
    const place = rows?.path ?? path;
    const within: YamlPath =
      isList && error.row !== undefined
        ? error.column === undefined
          ? [error.row]
          : [error.row, error.column]
        : [];
    throw new StepMistake(error.message, { path: [...place, ...within], hint: error.hint, cause: error });
  }
}

/** `changes:`: what has changed in a model since the scenario last asked. */
import { isObject, stringifyJson } from '../json/exact-json.ts';
import type { ChangeBatch, JsonRow } from '../changelog/change.ts';
import { consolidateChanges } from './consolidate-changes.ts';
import {
  findRelation,
  keyIndexes,
  placing,
  typedRelation,
  type Checked,
  type StepContext,
} from './expect-step.ts';
import { rowsEdit, type EditedColumn } from './expectation-edit.ts';
import { loadRows } from './load-rows.ts';
import { unnamed, type Cell, type ExpectedCell } from './matchers.ts';
import { diffRows } from './row-diff.ts';
import { diffSummary } from './row-diff-text.ts';
import type { ChangesStep } from './scenario.ts';
import type { StepFailure } from './step-outcome.ts';
import { plural } from './test-result.ts';
import {
  castRows,
  castValues,
  columnsNamed,
  ExpectationMistake,
  type RelationColumn,
  type TypedRelation,
} from './typed-rows.ts';

interface ExpectedChange {
  readonly op: string | undefined;
  readonly row: JsonRow;
  readonly before: JsonRow;
}

/**
 * Compares the consolidated changes. Columns are the row's (of a delete: the row that went), and under `before:` those of
 * the row as it was. A change is compared on the columns it names.
 */
export async function checkChanges(
  step: ChangesStep,
  batches: readonly ChangeBatch[],
  context: StepContext,
): Promise<Checked> {
  const { engine, scenario, root } = context;
  const named = findRelation(engine, step.model, step.path);
  const relation = await typedRelation(engine, named, step.path);
  const changes = consolidateChanges(batches);
  const given = step.rows === null ? [] : await loadRows(step.rows, scenario, root);
  return placing(step.rows, step.path, async () => {
    const wanted = given.map(readChange);
    const columns = columnsOf(
      relation,
      step.columns,
      wanted.map((change) => change.row),
      true,
    );
    const beforeColumns = columnsOf(
      relation,
      null,
      wanted.map((change) => change.before),
      false,
    );
    const expected = await expectedCells(engine.db, relation, columns, beforeColumns, wanted);
    const rowCells = await castValues(
      engine.db,
      relation,
      columns,
      changes.map((change) => change.row ?? change.before ?? {}),
    );
    const beforeCells = await castValues(
      engine.db,
      relation,
      beforeColumns,
      changes.map((change) => change.before ?? {}),
    );
    const actual = changes.map((change, i): Cell[] => [change.op, ...rowCells[i]!, ...beforeCells[i]!]);
    const names = [
      'op',
      ...columns.map(({ name }) => name),
      ...beforeColumns.map(({ name }) => `before.${name}`),
    ];
    const edited: EditedColumn[] = [
      { name: 'op', type: 'text', before: false },
      ...columns.map((column) => ({ ...column, before: false })),
      ...beforeColumns.map(({ name, type }) => ({ name: `before.${name}`, type, before: true })),
    ];
    const failures: StepFailure[] = [];
    if (step.rows !== null) {
      const { contains } = step;
      const diff = diffRows({
        columns: names,
        expected,
        actual,
        key: keyIndexes(named.key, names),
        contains,
      });
      if (diff.differences.length > 0) {
        failures.push({
          message: `changes of ${named.title}: ${diffSummary(diff)}`,
          diff,
          count: diff.differences.length,
          at: scenario.locate(step.rows.path),
          edit: contains ? undefined : rowsEdit(step.rows, diff, edited, given.length),
        });
      }
    }
    if (step.count !== null && step.count !== changes.length) {
      failures.push({
        message: `changes of ${named.title}: expected ${step.count}, there ${changes.length === 1 ? 'is' : 'are'} ${changes.length}`,
        count: Math.abs(step.count - changes.length),
        at: scenario.locate(step.path),
        edit: { path: [...step.path, 'count'], kind: 'scalar', text: String(changes.length) },
      });
    }
    return {
      failures,
      note: `${named.title}: ${plural(changes.length, 'change')} in ${batches.length} batch${batches.length === 1 ? '' : 'es'}`,
    };
  });
}

function readChange(given: JsonRow, index: number): ExpectedChange {
  const { op, before, ...row } = given;
  if (op !== undefined && op !== null && !['insert', 'update', 'delete'].includes(op as string)) {
    throw new ExpectationMistake(`"op" must be insert, update or delete, not ${stringifyJson(op)}`, {
      row: index,
      column: 'op',
    });
  }
  if (before !== undefined && before !== null && !isObject(before)) {
    throw new ExpectationMistake('"before" must be a mapping of columns to values', {
      row: index,
      column: 'before',
    });
  }
  return {
    op: (op as string | null | undefined) ?? undefined,
    row,
    before: before ?? {},
  };
}

function columnsOf(
  relation: TypedRelation,
  chosen: readonly string[] | null,
  rows: readonly JsonRow[],
  allWhenNone: boolean,
): readonly RelationColumn[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const place = (name: string): number => rows.findIndex((row) => Object.hasOwn(row, name));
  const found = columnsNamed(relation, [...names], place);
  if (chosen !== null) {
    const columns = columnsNamed(relation, chosen);
    const stray = found.find((column) => !columns.includes(column));
    if (stray === undefined) return columns;
    throw new ExpectationMistake(`column "${stray.name}" is not among the compared "columns"`, {
      row: place(stray.name),
      column: stray.name,
    });
  }
  if (found.length === 0 && allWhenNone) return relation.columns;
  return relation.columns.filter((column) => found.includes(column));
}

async function expectedCells(
  db: Parameters<typeof castRows>[0],
  relation: TypedRelation,
  columns: readonly RelationColumn[],
  beforeColumns: readonly RelationColumn[],
  wanted: readonly ExpectedChange[],
): Promise<ExpectedCell[][]> {
  const rowCells = await castRows(
    db,
    relation,
    columns,
    wanted.map((change) => change.row),
    { unnamed: 'any' },
  );
  const before = wanted.map((change) => change.before);
  const beforeCells = await castRows(db, relation, beforeColumns, before, { unnamed: 'any' });
  return wanted.map((change, i) => [change.op ?? unnamed, ...rowCells[i]!, ...beforeCells[i]!]);
}

/** A seed loaded as `seg seed` loads it, from its file or with the rows of a test. */
import { textOfJson, type ExactJson } from '../json/exact-json.ts';
import type { JsonRow } from '../changelog/change.ts';
import type { SeedData } from '../connectors/seed-data.ts';
import { loadSeed } from '../connectors/seeds.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { SeedNode } from '../project/nodes.ts';
import { StepMistake } from './step-outcome.ts';

/**
 * Makes the seed's table hold these rows, writing only what differs. Columns a row leaves out are NULL.
 * @param data the seed's file, which tells the columns
 * @param rows null or absent = the file's
 * @throws StepMistake for rows that do not fit the seed
 */
export async function loadSeedRows(
  db: Connection,
  node: SeedNode,
  data: SeedData,
  rows: readonly JsonRow[] | null = null,
): Promise<void> {
  if (rows === null) {
    await loadSeed(db, node, data);
    return;
  }
  const names = data.columns.map(({ name }) => name);
  for (const [index, row] of rows.entries()) {
    const stray = Object.keys(row).find((name) => !names.includes(name));
    if (stray === undefined) continue;
    throw new StepMistake(`row ${index + 1}: seed "${node.name}" has no column "${stray}"`, {
      hint: didYouMean(stray, names) ?? `It has the columns ${names.join(', ')}.`,
    });
  }
  const given: SeedData = {
    ...data,
    rows: rows.map((row) => names.map((name) => (Object.hasOwn(row, name) ? inputText(row[name]!) : null))),
    lines: rows.map((_, index) => index + 1),
  };
  try {
    await loadSeed(db, node, given);
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    // The place it names would be one in the seed's file, where these rows are not.
    const [first] = error.diagnostics;
    const row = first?.at === undefined ? '' : `row ${first.at.line}: `;
    throw new StepMistake(`seed "${node.name}": ${row}${first?.message ?? error.message}`, { cause: error });
  }
}

/** A JSON value as PostgreSQL reads it. */
function inputText(value: ExactJson): string | null {
  return value === null ? null : textOfJson(value);
}

import type { CommandContext } from './context.ts';
import { cellText, formatTable, type Relation } from './table.ts';

export type RelationForm = 'table' | 'csv';

/** A relation to standard output; CSV without its first line where `header` is false. JSON has a shape of its own in each command and is not printed here. */
export async function printRelation(
  context: CommandContext,
  relation: Relation,
  form: RelationForm,
  options: { readonly header?: boolean } = {},
): Promise<void> {
  if (form === 'table') {
    await context.writeOut(formatTable(relation, context.outWidth));
    return;
  }
  const { stringify } = await import('csv-stringify/sync');
  const rows = relation.rows.map((row) => row.map(csvCell));
  const header = options.header === false ? [] : [[...relation.columns]];
  await context.writeOut(stringify([...header, ...rows]));
}

/** NULL is an empty field, the empty text a quoted one; nothing is escaped, CSV quotes what needs it. */
function csvCell(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : cellText(value);
}

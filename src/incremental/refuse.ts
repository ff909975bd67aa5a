/** Queries that the library refuses: the same rules as for a project's models, in words for somebody without a project. */
import { SegError } from '../diagnostics/seg-error.ts';
import { locationAt } from '../diagnostics/source-map.ts';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteRelation } from '../sql/quote.ts';
import { namesInQuery } from '../sql/relations.ts';
import { unwatchedFamily } from '../state/followed-tables.ts';
import type { UnstableCall } from '../engines/lasting.ts';
import { checkCalls, checkColumns, placeOfUnstable } from './maintainable.ts';
import type { MadePlan } from './make-plan.ts';
import { NotMaintainable } from './not-maintainable.ts';
import type { InputTable } from './stored-plan.ts';

/** Before the query is planned: what PostgreSQL would refuse in words that do not fit. */
export async function refuseName(tx: Connection, relation: RelationName, sql: string): Promise<void> {
  const key = quoteRelation(relation);
  const { rows } = await tx.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [key]);
  if (rows[0]?.there === true) throw new Error(`there is a relation ${key} already`);
  const itself = namesInQuery(sql).relations.find(
    ({ schema, name }) => name === relation.name && schema === relation.schema,
  );
  if (itself !== undefined) throw new Error(`the view ${key} reads itself${placeIn(sql, itself.offset)}`);
}

/** @throws Error naming the view, what is wrong, where and what to do */
export async function refuseQuery(
  tx: Connection,
  relation: RelationName,
  sql: string,
  made: MadePlan,
): Promise<void> {
  const label = `the view ${quoteRelation(relation)}`;
  const examined = { label, sql, sourceMap: null, at: { file: '', line: 1, column: 1 } };
  if (made.introspection.columns.length === 0)
    throw new Error(`${label} has no columns. Select at least one.`);
  try {
    checkCalls(made.introspection.unstable, examined);
    await checkColumns(tx, `(\n${sql}\n) AS "_seg_query"`, made.introspection.columns, examined);
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    const [{ code, message, hint }] = error.diagnostics as [(typeof error.diagnostics)[number]];
    const call = code === 'SEG404' ? made.introspection.unstable[0] : undefined;
    const offset = call === undefined ? undefined : placeOfUnstable(sql, call);
    const place = offset === undefined ? '' : placeIn(sql, offset);
    throw new Error(`${message}${place}. ${(call && remedies[call.kind]) ?? hint}`, {
      cause: error,
    });
  }
}

/** @throws NotMaintainable for a table with partitions, parents or children where nothing tells when others come */
export async function refuseUnwatched(
  tx: Connection,
  stateSchema: string,
  inputs: readonly InputTable[],
): Promise<void> {
  const name = await unwatchedFamily(
    tx,
    stateSchema,
    inputs.map(({ table }) => table),
  );
  if (name === undefined) return;
  throw new NotMaintainable(
    name,
    `${name} has partitions, parents or children, and this role may not create the event trigger that follows them. ` +
      'Let a role that may (a superuser) create the first incremental view of this state schema; or copy the rows into a table.',
  );
}

/** Where a project has other means. */
const remedies: Readonly<Partial<Record<UnstableCall['kind'], string>>> = {
  time: 'Keep the time in a table of one row and join that: the view follows when you update it.',
  session: 'Write the value into the row where it is made.',
  volatile:
    'Compute the value where the row is written. A function of your own whose answer depends on its arguments alone may be declared IMMUTABLE.',
};

function placeIn(sql: string, offset: number): string {
  const { line, column } = locationAt('', sql, offset);
  return ` (line ${line}, column ${column})`;
}

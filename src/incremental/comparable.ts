/** Whether rows can be compared, column by column: json, xml and point have no equality, and neither has what holds them. */
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { Introspection } from '../engines/introspect.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { Stage } from '../ivm/plan/stage.ts';
import { selectSql } from '../ivm/relation/to-sql.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';

/**
 * Asked of PostgreSQL's analysis of a statement, which knows arrays, composites and domains too. Nothing is planned, which may take
 * long: of what stands behind FROM only the types matter.
 * @param from an item of FROM with these columns
 */
export async function canCompare(
  tx: Connection,
  from: string,
  columns: readonly { readonly name: string }[],
): Promise<boolean> {
  if (columns.length === 0) return true;
  const list = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  try {
    await tx.transaction((inner) =>
      inner.exec(`PREPARE "_seg_compared" AS SELECT FROM ${from} GROUP BY ${list}`),
    );
    await tx.exec('DEALLOCATE "_seg_compared"');
    return true;
  } catch (error) {
    const code = error instanceof DatabaseError ? error.sqlstate : (error as { code?: unknown }).code;
    // 42883: no equality operator.
    if (code === '42883') return false;
    throw error;
  }
}

/** 42P16: a column of a pseudo-type, which is what a row without a type of its own is. */
export function isUnstorable(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlstate === '42P16';
}

const suspect = /json(?!b)|xml|point|lseg|box|path|polygon|circle|line|record|\bROW\(|\.\*/i;

/**
 * The first hidden column of a plan that cannot be compared, or not even stored. The query itself may use such values
 * (doc->>'id'), but what maintenance stores it must compare. Costs nothing for queries that hold no such type.
 * @returns the column's name and type, or undefined
 */
export async function incomparableColumn(
  tx: Connection,
  stages: readonly Stage[],
  introspection: Introspection,
  clock: RelationName,
): Promise<{ name: string; type: string } | undefined> {
  const hidden = stages.some(({ name, columns }) => name !== '' || columns.some((column) => column.hidden));
  const possible =
    suspect.test(introspection.canonical) ||
    introspection.relations.some(({ columns }) => columns.some(({ hashable }) => !hashable));
  if (!hidden || !possible) return undefined;
  const undo = new Error('undo');
  let found: { name: string; type: string } | undefined;
  const tableOf = (stage: string): string => `pg_temp.${quoteIdentifier(`_seg_probe#${stage}`)}`;
  const probe = async (inner: Connection): Promise<void> => {
    for (const { root, text, name: stage, columns } of stages) {
      if (root === null && text === undefined) continue;
      const query =
        root === null
          ? text!
          : selectSql(root, columns, {
              now: `(SELECT "now" FROM ${quoteRelation(clock)})`,
              from: ({ relation }) => (relation.startsWith('#') ? tableOf(relation.slice(1)) : relation),
            });
      try {
        await inner.exec(
          `CREATE TEMPORARY TABLE ${quoteIdentifier(`_seg_probe#${stage}`)} AS ${query} WITH NO DATA`,
        );
      } catch (error) {
        if (!isUnstorable(error)) throw error;
        found = { name: '', type: 'record' };
        return;
      }
      const own = columns.filter(({ hidden }) => hidden || stage !== '');
      if (await canCompare(inner, tableOf(stage), own)) continue;
      for (const column of own) {
        if (await canCompare(inner, tableOf(stage), [column])) continue;
        const { rows } = await inner.query<{ type: string }>(
          'SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2',
          [tableOf(stage), column.name],
        );
        found = { name: column.name, type: rows[0]!.type };
        return;
      }
    }
  };
  try {
    await tx.transaction(async (inner) => {
      await probe(inner);
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  return found;
}

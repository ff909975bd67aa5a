/** A seed's file into its table on a streaming engine: only the rows that differ are written. */
import type { SeedData } from '../connectors/seed-data.ts';
import type { SeedOutcome } from '../connectors/seed-writer.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteText, quoteRelation } from '../sql/quote.ts';
import type { DesiredNode } from './desired-node.ts';
import type { Dialect } from './dialect.ts';
import { LOG_POSITION, logTable } from './materialize.ts';
import { literal } from './record-door.ts';

const ROWS_A_STATEMENT = 1000;

interface Counted {
  readonly values: readonly (string | null)[];
  readonly count: number;
}

/**
 * Both sides are compared as the engine prints them, so that 1.0 in the file is 1.0 in the table whatever it was written
 * as. There is no transaction: what goes is deleted first, what comes is inserted then.
 */
export async function loadStreamingSeed(
  db: Connection,
  dialect: Dialect,
  node: DesiredNode,
  data: SeedData,
): Promise<SeedOutcome> {
  const columns = data.columns.map(({ name, type }) => ({
    name: quoteIdentifier(name),
    type: dialect.columnType(type),
  }));
  const text = dialect.columnType('text');
  const printed = columns.map(({ name }, i) => `${name}::${text} AS c${i}`).join(', ');
  const grouped = columns.map((_, i) => `c${i}`).join(', ');
  const rowsOf = async (from: string): Promise<Map<string, Counted>> => {
    const { rows } = await db.query<Record<string, string | null>>(
      `SELECT ${grouped}, count(*)::${text} AS n FROM (SELECT ${printed} FROM ${from}) AS printed GROUP BY ${grouped}`,
    );
    return new Map(
      rows.map((row) => {
        const values = columns.map((_, i) => row[`c${i}`] ?? null);
        return [JSON.stringify(values), { values, count: Number(row['n']) }];
      }),
    );
  };
  if (dialect.flush !== null) await db.exec(dialect.flush);
  const before = await rowsOf(quoteRelation(node.relation));
  const after = new Map<string, Counted>();
  for (let start = 0; start < data.rows.length; start += ROWS_A_STATEMENT) {
    const tuples = data.rows
      .slice(start, start + ROWS_A_STATEMENT)
      .map((row) => `(${row.map((value, i) => literal(value, columns[i]!.type)).join(', ')})`);
    const part = await rowsOf(
      `(VALUES ${tuples.join(', ')}) AS written (${columns.map(({ name }) => name).join(', ')})`,
    );
    for (const [id, { values, count }] of part)
      after.set(id, { values, count: count + (after.get(id)?.count ?? 0) });
  }
  const come = [...after].filter(([id, { count }]) => before.get(id)?.count !== count).map(([, row]) => row);
  const keyed = dialect.engine === 'materialize' && node.key.length > 0;
  const keyOf = ({ values }: Counted): string =>
    JSON.stringify(
      data.columns.flatMap(({ name }, i) => (node.key.includes(name) ? [values[i] ?? null] : [])),
    );
  // A row with a known key takes the place of the old one by itself on RisingWave.
  const overwritten = new Set(dialect.engine === 'risingwave' && node.key.length > 0 ? come.map(keyOf) : []);
  const gone = [...before]
    .filter(([id, { count }]) => after.get(id)?.count !== count)
    .map(([, row]) => row)
    .filter((row) => !overwritten.has(keyOf(row)));
  const target = quoteRelation(keyed ? logTable(node.relation) : node.relation);
  for (let start = 0; start < gone.length; start += 100) {
    const conditions = gone
      .slice(start, start + 100)
      .map(({ values }) =>
        values
          .map((value, i) =>
            value === null
              ? `${columns[i]!.name} IS NULL`
              : `${columns[i]!.name}::${text} = ${quoteText(value)}`,
          )
          .join(' AND '),
      );
    await db.exec(`DELETE FROM ${target} WHERE (${conditions.join(') OR (')})`);
  }
  // Two statements of one moment may be taken in either order, and a deleted key must not follow its new row.
  if (dialect.flush !== null && gone.length > 0) await db.exec(dialect.flush);
  const names = [...columns.map(({ name }) => name), ...(keyed ? [quoteIdentifier(LOG_POSITION)] : [])];
  const copies = come.flatMap(({ values, count }) => Array.from({ length: count }, () => values));
  for (let start = 0; start < copies.length; start += ROWS_A_STATEMENT) {
    const tuples = copies
      .slice(start, start + ROWS_A_STATEMENT)
      .map(
        (values) =>
          `(${[...values.map((value, i) => literal(value, columns[i]!.type)), ...(keyed ? ['0::bigint'] : [])].join(', ')})`,
      );
    await db.exec(`INSERT INTO ${target} (${names.join(', ')}) VALUES ${tuples.join(', ')}`);
  }
  if (dialect.flush !== null && gone.length + come.length > 0) await db.exec(dialect.flush);
  const sum = (rows: readonly Counted[]): number => rows.reduce((total, { count }) => total + count, 0);
  return { inserted: sum(come), deleted: sum(gone), updated: 0, unchanged: data.rows.length - sum(come) };
}

/** What a scan reads while a step runs: the relation itself, or the rows that came and went. */
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import type { RelationName } from '../catalog.ts';
import type { Scan } from '../relation/ir.ts';

/** Where a relation's rows are, and where the rows of its change. */
export interface Source {
  readonly table: RelationName;
  /** FROM items of the rows removed and added in this run: transition tables, or arrays of the step before. */
  readonly removed: string | null;
  readonly added: string | null;
}

export function sourceSql(scan: Scan, source: Source): string {
  const table = quoteRelation(source.table);
  const columns = scan.columns.map(({ name }) => quoteIdentifier(name));
  const rows = (from: string, weight?: number): string =>
    `SELECT ${[...columns, ...(weight === undefined ? [] : [`${weight} AS "_seg_w"`])].join(', ')} FROM ${from}`;
  const together = (parts: (string | null)[]): string =>
    `(${parts.filter((part) => part !== null).join(' UNION ALL ')})`;
  const { removed, added } = source;
  switch (scan.mode) {
    case 'now':
    case 'due':
    case 'rest':
      return table;
    case 'touched':
      return together([added === null ? null : rows(added), removed === null ? null : rows(removed)]);
    case 'ever':
      return removed === null ? table : together([rows(table), rows(removed)]);
    case 'change':
      return together([added === null ? null : rows(added, 1), removed === null ? null : rows(removed, -1)]);
    case 'shared':
      throw new Error('invariant: a shared change is read by its name');
  }
}

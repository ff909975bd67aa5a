/** Indexes that maintenance needs on the relations it reads: found in the plan, made when no index serves already. */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { affected } from '../ivm/plan/affected.ts';
import { occurrencesOf } from '../ivm/plan/classify.ts';
import { indexesFor } from '../ivm/plan/indexes.ts';
import type { NeededIndex } from '../ivm/plan/indexes.ts';
import type { KeyWithin } from '../ivm/plan/restrict.ts';
import { signedTerms } from '../ivm/plan/signed.ts';
import { columnOf } from '../ivm/relation/expression.ts';
import { printExpr } from '../ivm/relation/print-expression.ts';
import { restrictedRoot } from '../ivm/strategies/rekey.ts';
import type { StoredStage } from '../ivm/strategies/stored-stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';

/** Indexes for every change of one relation at a time, and for the recomputation of a partition. */
export function neededIndexes(stored: StoredStage, keyWithin: KeyWithin): NeededIndex[] {
  const { stage } = stored;
  const { root } = stage;
  if (root === null || stage.strategy === 'recompute') return [];
  const occurrences = occurrencesOf(root, new Set(stage.reads));
  if (stage.strategy === 'linear') {
    return occurrences.flatMap((occurrence) =>
      signedTerms(root, [occurrence]).flatMap(({ op }) => indexesFor(op, ({ mode }) => mode === 'change')),
    );
  }
  return [
    ...indexesFor(restrictedRoot(stored, keyWithin), () => false),
    ...occurrences.flatMap((occurrence) =>
      indexesFor(affected(root, occurrence, new Set(stage.key)), ({ mode }) => mode === 'touched'),
    ),
  ];
}

export interface IndexRequest {
  readonly table: RelationName;
  readonly index: NeededIndex;
  readonly typeOf: (column: string) => string | undefined;
  readonly existing: readonly (readonly string[])[];
}

export interface DerivedIndex {
  readonly schema: string;
  readonly name: string;
  /** `btree (customer_id)`, for people. */
  readonly text: string;
}

// A btree refuses values of more than a third of a page; these types have none so long.
const short = /^(smallint|integer|bigint|oid|boolean|date|uuid|real|double precision|numeric.*|timestamp.*|time .*|interval.*|"char")$/;

/**
 * Creates the index unless one of the table's own serves.
 * @returns null when none was needed, or none can be made (an expression that is not immutable)
 */
export async function ensureIndex(tx: Connection, request: IndexRequest): Promise<DerivedIndex | null> {
  const { table, index } = request;
  const nameOf = (id: string): string => index.scan.columns.find((column) => column.id === id)!.name;
  const plain = index.expressions.map((expr) => {
    const id = columnOf(expr);
    return id === undefined ? undefined : nameOf(id);
  });
  if (!index.hashed && plain.every((name) => name !== undefined)) {
    const wanted = new Set(plain);
    const serves = (columns: readonly string[]): boolean =>
      columns.length >= wanted.size && columns.slice(0, wanted.size).every((name) => wanted.has(name));
    if (request.existing.some(serves)) return null;
  }
  const texts = index.expressions.map((expr) =>
    printExpr(expr, {
      now: 'NULL',
      column: (id) => quoteIdentifier(nameOf(id)),
      query: () => {
        throw new Error('invariant: no subquery in an index');
      },
    }),
  );
  const method =
    index.hashed || texts.length > 1 || short.test(request.typeOf(plain[0] ?? '') ?? '') ? 'btree' : 'hash';
  const body = index.hashed
    ? `(hash_record_extended(ROW(${texts.join(', ')}), 0))`
    : `(${texts.map((text) => `(${text})`).join(', ')})`;
  const definition = `${quoteRelation(table)} USING ${method} ${body}`;
  const hash = createHash('sha256').update(definition).digest('hex').slice(0, 16);
  const name = `seg_${hash}`;
  try {
    await tx.transaction((inner) => inner.exec(`CREATE INDEX IF NOT EXISTS ${quoteIdentifier(name)} ON ${definition}`));
  } catch (error) {
    // 42P17: functions in an index must be immutable. 42704: no operator class.
    const code = error instanceof DatabaseError ? error.sqlstate : (error as { code?: string }).code;
    if (code === '42P17' || code === '42704') return null;
    throw error;
  }
  return { schema: table.schema, name, text: `${method} (${texts.join(', ')})` };
}

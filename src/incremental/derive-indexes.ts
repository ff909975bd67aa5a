/** Indexes that maintenance needs on the relations it reads: found in the plan, made when no index serves already. */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { affected } from '../ivm/plan/affected.ts';
import { occurrencesOf } from '../ivm/plan/classify.ts';
import { indexesFor } from '../ivm/plan/indexes.ts';
import type { IndexOrder, NeededIndex } from '../ivm/plan/indexes.ts';
import type { KeyWithin } from '../ivm/plan/restrict.ts';
import { directionSql } from '../ivm/plan/positions.ts';
import { signedTerms } from '../ivm/plan/signed.ts';
import { temporalOf } from '../ivm/plan/temporal.ts';
import { indexedBases, touchedPositions } from '../ivm/plan/suffix-region.ts';
import type { StageTop } from '../ivm/plan/stage.ts';
import { byLength, limitOf, topOf } from '../ivm/plan/top.ts';
import { isShort } from '../ivm/plan/facts.ts';
import { canFail } from '../ivm/plan/fallible.ts';
import { columnOf, mapExpr } from '../ivm/relation/expression.ts';
import type { Expr, Op } from '../ivm/relation/ir.ts';
import { printExpr } from '../ivm/relation/print-expression.ts';
import { hashOfRow } from '../ivm/relation/row-hash.ts';
import { mayReread } from '../ivm/strategies/merge.ts';
import { mergedTree } from '../ivm/strategies/merge-layout.ts';
import { restrictedRoot } from '../ivm/strategies/rekey.ts';
import type { StoredStage } from '../ivm/strategies/stored-stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { StageNaming } from './build-stages.ts';
import { keyWithin } from './install-programs.ts';
import type { MadePlan } from './make-plan.ts';
import { writePlan } from './stored-plan.ts';
import type { StoredPlan } from './stored-plan.ts';

/** Indexes for every change of one relation at a time, and for the recomputation of a partition. */
export function neededIndexes(stored: StoredStage, keyWithin: KeyWithin): NeededIndex[] {
  const { stage } = stored;
  const { root } = stage;
  if (root === null) return [];
  const byTime = stage.readsClock ? indexesByTime(root) : [];
  if (stage.strategy === 'recompute') return byTime;
  if (stage.strategy === 'top') return [...byTime, ...indexesByOrder(root, stage.top)];
  return [...byTime, ...indexesOfChanges(stored, root, keyWithin)];
}

/** The rows that a move of the clock makes due, by the values that are compared with it. */
function indexesByTime(root: Op): NeededIndex[] {
  return temporalOf(root).due.map(({ scan, value }) => ({
    relation: scan.relation,
    expressions: [value],
    hashed: false,
    ordered: true,
    scan,
  }));
}

/** The order in which the first rows are read; of texts those that fit, and the others by themselves. */
function indexesByOrder(root: Op, split: StageTop | undefined): NeededIndex[] {
  const top = topOf(limitOf(root)!);
  if (top === undefined) return [];
  const { scan, order } = top;
  const index = { relation: scan.relation, hashed: false, ordered: true, scan } as const;
  if (split === undefined) return [{ ...index, expressions: [], then: order }];
  const { length, short, long } = byLength(split);
  const then = order.slice(0, split.bound).map((key) => ({ ...key, short: true }));
  return [
    { ...index, expressions: [], then, where: short },
    { ...index, expressions: [length], where: long },
  ];
}

function indexesOfChanges(stored: StoredStage, root: Op, keyWithin: KeyWithin): NeededIndex[] {
  const { stage } = stored;
  const occurrences = occurrencesOf(root, new Set(stage.reads));
  const forTerms = (linear: Op): NeededIndex[] =>
    occurrences.flatMap((occurrence) =>
      signedTerms(linear, [occurrence]).terms.flatMap(({ op }) =>
        indexesFor(op, ({ mode }) => mode === 'change'),
      ),
    );
  if (stage.strategy === 'linear') return forTerms(root);
  if (stage.strategy === 'merge') {
    const again = mayReread(stored) ? indexesFor(restrictedRoot(stored, keyWithin), () => false) : [];
    return [...forTerms(mergedTree(stored).aggregate.child), ...again];
  }
  if (stage.suffix !== undefined) {
    const { suffix } = stage;
    return [
      ...indexedBases(root, suffix).flatMap((op) => indexesFor(op, () => false)),
      ...occurrences.flatMap((occurrence) =>
        indexesFor(touchedPositions(root, suffix, occurrence), ({ mode }) => mode === 'touched'),
      ),
    ];
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
  /** What maintenance has made, for this view and others. */
  readonly derived: readonly Pick<DerivedIndex, 'schema' | 'name' | 'definition'>[];
  /** false: the table is somebody else's, and an index on it is theirs to make. */
  readonly allowed: boolean;
}

export interface DerivedIndex {
  readonly schema: string;
  readonly name: string;
  /** What it is on: table, method and columns. */
  readonly definition: string;
  /** `btree (customer_id)`, for people. */
  readonly text: string;
}

/**
 * Creates the index unless one of the table's own serves. Of several columns and expressions it takes those that an index can hold.
 * @returns null when none was needed, `missing` (what it was to be on) when none can be made, `offered` (the statement) when it is
 *   not for seg to make
 */
export async function ensureIndex(
  tx: Connection,
  request: IndexRequest,
): Promise<DerivedIndex | { readonly missing: string } | { readonly offered: string } | null> {
  const { table, index } = request;
  const nameOf = (id: string): string => index.scan.columns.find((column) => column.id === id)?.name ?? '';
  const plain = index.expressions.map((expr) => {
    const id = columnOf(expr);
    return id === undefined ? undefined : nameOf(id);
  });
  if (!index.hashed && plain.every((name) => name !== undefined)) {
    const wanted = new Set(plain);
    const serves = (columns: readonly string[]): boolean =>
      columns.length >= wanted.size && columns.slice(0, wanted.size).every((name) => wanted.has(name));
    if (wanted.size > 0 && request.existing.some(serves)) return null;
  }
  const then = shortOrder(request, nameOf);
  if (index.expressions.length + then.length === 0 || servesOrder(request, then, nameOf)) return null;
  const print = (expr: Expr): string =>
    printExpr(expr, {
      now: 'NULL',
      plain: true,
      column: (id) => quoteIdentifier(nameOf(id)),
      query: () => {
        throw new Error('invariant: no subquery in an index');
      },
    });
  const order = then.map((key) => `(${print(key.expr)})${directionSql(key)}`);
  const where = index.where === undefined ? '' : ` WHERE ${print(index.where)}`;
  // An index computes its expressions for every row that is written, also for those that the query would never have asked.
  const fails = (expr: Expr): boolean => canFail(expr, (id) => request.typeOf(nameOf(id)));
  if (then.some(({ expr }) => fails(expr)))
    return { missing: [...index.expressions.map(print), ...order].join(', ') };
  for (const expressions of holdable(request, nameOf)) {
    if (expressions.some(fails)) continue;
    const texts = expressions.map(print);
    const hashed = index.hashed && expressions === index.expressions;
    const method =
      hashed ||
      index.ordered === true ||
      texts.length > 1 ||
      isShort(request.typeOf(nameOf(columnOf(expressions[0]!) ?? '')))
        ? 'btree'
        : 'hash';
    const body = hashed
      ? `(${[hashOfRow(texts), ...order].join(', ')})`
      : `(${[...texts.map((text) => `(${text})`), ...order].join(', ')})`;
    const definition = `${quoteRelation(table)} USING ${method} ${body}${where}`;
    const text = `${method} (${[...texts, ...order].join(', ')})${where}`;
    const longer = request.derived.find((other) => beginsWith(other.definition, definition));
    if (longer !== undefined) return { ...longer, text };
    const hash = createHash('sha256').update(definition).digest('hex').slice(0, 16);
    if (!request.allowed) {
      // Not "seg_": indexes of that form that no view needs are dropped.
      const offered = `for_seg_${hash}`;
      const { rows } = await tx.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
        quoteRelation({ schema: table.schema, name: offered }),
      ]);
      return rows[0]!.there
        ? null
        : { offered: `CREATE INDEX CONCURRENTLY ${quoteIdentifier(offered)} ON ${definition};` };
    }
    const name = `seg_${hash}`;
    if (await createIndex(tx, name, definition)) return { schema: table.schema, name, definition, text };
  }
  return { missing: [...index.expressions.map(print), ...order].join(', ') };
}

/** Whether an index of all rows begins with all columns of another; each entry of either costs every row that is written. */
function beginsWith(longer: string, definition: string): boolean {
  return (
    longer === definition ||
    (!longer.includes(' WHERE ') && longer.startsWith(`${definition.slice(0, -1)}, `))
  );
}

/** @returns whether there can be such an index */
async function createIndex(tx: Connection, name: string, definition: string): Promise<boolean> {
  try {
    await tx.transaction((inner) =>
      inner.exec(`CREATE INDEX IF NOT EXISTS ${quoteIdentifier(name)} ON ${definition}`),
    );
    return true;
  } catch (error) {
    // 42P17: functions in an index must be immutable. 42704: no operator class. 0A000: they must not return sets.
    const code = error instanceof DatabaseError ? error.sqlstate : (error as { code?: string }).code;
    if (code === '42P17' || code === '42704' || code === '0A000') return false;
    throw error;
  }
}

/**
 * What to make the index on, the best first: of several columns those that a btree holds at any length; when there is none, one alone,
 * the last before others, since it tends to tell most apart, and columns before expressions that perhaps no index takes.
 */
function holdable({ index, typeOf }: IndexRequest, nameOf: (id: string) => string): (readonly Expr[])[] {
  const whole = index.hashed ? [index.expressions] : [];
  if (index.hashed && index.apart !== true) return whole;
  if (index.expressions.length < 2) return [index.expressions];
  const held = index.expressions.filter((expr) => {
    const id = columnOf(expr);
    return id !== undefined && isShort(typeOf(nameOf(id)));
  });
  if (held.length > 0 && !index.hashed) return [held];
  const [last, ...others] = [...index.expressions].reverse();
  const plain = (expr: Expr): boolean => columnOf(expr) !== undefined;
  const singles = [last!, ...others.filter(plain), ...others.filter((expr) => !plain(expr))];
  return [...whole, ...singles.map((expr) => [expr])];
}

/** The first columns of an order that an index can hold at any length: the rest is sorted among equals. */
function shortOrder({ index, typeOf }: IndexRequest, nameOf: (id: string) => string): IndexOrder[] {
  const then = index.then ?? [];
  const long = then.findIndex(
    ({ expr, short }) => short !== true && !isShort(typeOf(nameOf(columnOf(expr) ?? ''))),
  );
  return long === -1 ? [...then] : then.slice(0, long);
}

/** A plain index of the table's own is in ascending order with NULLs last; it is read from either end. */
function servesOrder(
  { index, existing }: IndexRequest,
  then: readonly IndexOrder[],
  nameOf: (id: string) => string,
): boolean {
  if (index.hashed || then.length === 0) return false;
  const uniform = [false, true].some((descending) =>
    then.every((key) => key.descending === descending && key.nullsFirst === descending),
  );
  const names = then.map(({ expr }) => nameOf(columnOf(expr) ?? ''));
  return uniform && existing.some((columns) => names.every((name, i) => name === columns[i]));
}

/** Makes the indexes of a plan, which has been written, and records that it needs them. @returns their texts, for people */
export async function deriveIndexes(
  tx: Connection,
  plan: StoredPlan,
  made: MadePlan,
  naming: StageNaming,
  stateSchema: string,
): Promise<string[]> {
  const seg = quoteIdentifier(stateSchema);
  await tx.query(`DELETE FROM ${seg}.derived_index WHERE view = $1`, [plan.key]);
  const texts: string[] = [];
  const unindexed = new Set<string>();
  const offered = new Set<string>();
  const seen = new Set<string>();
  const known = keyWithin([plan]);
  const { rows: derivedIndexes } = await tx.query<Pick<DerivedIndex, 'schema' | 'name' | 'definition'>>(
    `SELECT DISTINCT d.schema_name AS schema, d.index_name AS name, d.definition FROM ${seg}.derived_index AS d
     JOIN pg_catalog.pg_indexes AS x ON x.schemaname = d.schema_name AND x.indexname = d.index_name WHERE d.definition IS NOT NULL`,
  );
  for (const stored of plan.stages) {
    for (const index of neededIndexes(stored, known)) {
      const print = JSON.stringify([
        index.relation,
        index.hashed,
        index.ordered,
        index.expressions.map((expr) => named(index, expr)),
        (index.then ?? []).map((key) => ({ ...key, expr: named(index, key.expr) })),
        index.where === undefined ? null : named(index, index.where),
      ]);
      if (seen.has(print)) continue;
      seen.add(print);
      const hidden = index.relation.startsWith('#');
      const table = hidden
        ? naming.stageTable(index.relation.slice(1))
        : naming.relationTable(index.relation);
      const derived = await ensureIndex(tx, {
        table,
        index,
        typeOf: (column) =>
          hidden
            ? plan.stages
                .find(({ stage }) => `#${stage.name}` === index.relation)
                ?.columns.find(({ name }) => name === column)?.type
            : made.columnType(index.relation, column),
        existing: hidden ? [] : made.indexesOf(index.relation),
        derived: derivedIndexes,
        allowed: hidden || naming.mayIndex?.(index.relation) !== false,
      });
      if (derived === null) continue;
      if ('offered' in derived) {
        offered.add(derived.offered);
        continue;
      }
      if ('missing' in derived) {
        unindexed.add(`${quoteRelation(table)} (${derived.missing})`);
        continue;
      }
      const text = `${quoteRelation(table)} ${derived.text}`;
      if (!texts.includes(text)) texts.push(text);
      await tx.query(
        `INSERT INTO ${seg}.derived_index (view, schema_name, index_name, definition) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
        [plan.key, derived.schema, derived.name, derived.definition],
      );
      for (const shorter of derivedIndexes.splice(0)) {
        if (shorter.name === derived.name || !beginsWith(derived.definition, shorter.definition))
          derivedIndexes.push(shorter);
        else await replaceIndex(tx, seg, shorter, derived);
      }
      derivedIndexes.push(derived);
    }
  }
  if (unindexed.size + offered.size > 0)
    await writePlan(tx, stateSchema, { ...plan, unindexed: [...unindexed], offered: [...offered] });
  return texts;
}

/** Those who need the one are served by the other. */
async function replaceIndex(
  tx: Connection,
  seg: string,
  from: Pick<DerivedIndex, 'schema' | 'name'>,
  to: DerivedIndex,
): Promise<void> {
  await tx.query(
    `INSERT INTO ${seg}.derived_index (view, schema_name, index_name, definition)
     SELECT view, $3, $4, $5 FROM ${seg}.derived_index WHERE schema_name = $1 AND index_name = $2 ON CONFLICT DO NOTHING`,
    [from.schema, from.name, to.schema, to.name, to.definition],
  );
  await tx.query(`DELETE FROM ${seg}.derived_index WHERE schema_name = $1 AND index_name = $2`, [
    from.schema,
    from.name,
  ]);
  await tx.exec(`DROP INDEX IF EXISTS ${quoteRelation(from)}`);
}

/** An expression with columns' names for ids, to recognise equal indexes. */
function named(index: NeededIndex, expr: Expr): Expr {
  return mapExpr(expr, (node) => {
    const id = columnOf(node);
    return id === undefined
      ? undefined
      : { Col: index.scan.columns.find((column) => column.id === id)?.name ?? id };
  });
}

/** Drops the derived indexes that none of the given views needs. */
export async function dropUnusedIndexes(
  tx: Connection,
  stateSchema: string,
  views: readonly string[],
): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  await tx.query(
    `DELETE FROM ${seg}.derived_index WHERE NOT view = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)))`,
    [JSON.stringify(views)],
  );
  // Other state schemas of the database list indexes of their own, which bear names of the same form.
  const { rows: states } = await tx.query<{ schema: string; readable: boolean }>(
    `SELECT n.nspname::text AS schema, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = 'derived_index' AND c.relkind = 'r'
       AND EXISTS (SELECT FROM pg_class e WHERE e.relnamespace = n.oid AND e.relname = 'epoch')`,
  );
  const listed = states
    .filter(({ readable }) => readable)
    .map(({ schema }) => `SELECT schema_name, index_name FROM ${quoteIdentifier(schema)}.derived_index`)
    .join(' UNION ALL ');
  const { rows } = await tx.query<{ schema: string; name: string }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'i' AND c.relname ~ '^seg_[0-9a-f]{16}$' AND pg_has_role(c.relowner, 'USAGE')
       AND (n.nspname = $1 OR $2)
       AND NOT EXISTS (SELECT FROM (${listed}) AS i WHERE i.schema_name = n.nspname AND i.index_name = c.relname)`,
    // What a state schema of another role lists cannot be known: then only what is this one's own goes.
    [stateSchema, states.every(({ readable }) => readable)],
  );
  for (const index of rows) await tx.exec(`DROP INDEX ${quoteRelation(index)}`);
}

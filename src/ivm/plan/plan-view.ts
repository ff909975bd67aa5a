/** A view's canonical text → its stages. Pure: the catalog is data. Never fails: what is not understood is recomputed. */
import type { Catalog } from '../catalog.ts';
import { Reader } from '../relation/from-sql.ts';
import type { Node } from '../relation/reader.ts';
import { Unsupported } from '../relation/ir.ts';
import type { Relation } from '../relation/ir.ts';
import { parseStatements } from '../../sql/parse.ts';
import { Decomposer } from './decompose.ts';
import type { Facts } from './facts.ts';
import type { TypesOf } from './merge-plan.ts';
import type { Stage } from './stage.ts';

export interface ViewRequest {
  /** The definition as PostgreSQL prints it. */
  readonly canonical: string;
  /** Names of the columns, in order. */
  readonly columns: readonly string[];
  /** Keys of the relations it reads, plain views seen through; used when the text is not understood. */
  readonly reads: readonly string[];
  readonly readsClock: boolean;
  /** `recompute` when asked for by the user. */
  readonly maintenance: 'auto' | 'recompute';
}

/** Stages in the order they are maintained, the last one being the view. `loadSqlParser` must have been awaited. */
export function planView(
  request: ViewRequest,
  catalog: Catalog,
  keysOf: (relation: string) => readonly (readonly string[])[],
  facts: Facts,
  typesOf?: TypesOf,
): Stage[] {
  if (request.maintenance === 'recompute')
    return [recomputed(request, 'asked for by maintenance: recompute')];
  try {
    const { reader, ...relation } = readView(request, catalog);
    return new Decomposer(reader, keysOf, facts, typesOf).decompose(relation, reader.parts);
  } catch (error) {
    if (error instanceof Unsupported) return [recomputed(request, error.construct)];
    throw error;
  }
}

/** The text as a tree, whose ids are the same each time, and the reader that gives out more of them. @throws Unsupported */
export function readView(request: ViewRequest, catalog: Catalog): Relation & { readonly reader: Reader } {
  const statement = parseStatements(request.canonical)[0]?.node as unknown as Node | undefined;
  const reader = new Reader(catalog);
  const { op, output } = reader.select(statement?.['SelectStmt'] as Node, null);
  const named = output.map((column, i) => ({ ...column, name: request.columns[i] ?? column.name }));
  return { root: op, output: named, reader };
}

export function recomputed(request: ViewRequest, reason: string): Stage {
  return {
    name: '',
    root: null,
    reads: request.reads,
    readsClock: request.readsClock,
    columns: request.columns.map((name) => ({ id: name, name, hidden: false })),
    strategy: 'recompute',
    key: [],
    reason,
    cost: 'the whole query',
  };
}

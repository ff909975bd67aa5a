/**
 * What seg asks of a streaming database, as SQL text. RisingWave and Materialize keep models up to date themselves, so a
 * dialect is DDL, DML in bulk, and the few questions to the catalog; everything here is pure.
 */
import type { RelationName } from '../ivm/catalog.ts';

export type StreamingEngine = 'risingwave' | 'materialize';

/** Kinds of objects that seg makes. */
export type ObjectKind =
  'table' | 'view' | 'materialized_view' | 'subscription' | 'sink' | 'source' | 'secret' | 'connection';

export interface TableColumn {
  readonly name: string;
  /** As declared, in PostgreSQL's words. */
  readonly type: string;
  readonly notNull: boolean;
}

export interface TableRequest {
  readonly name: RelationName;
  readonly columns: readonly TableColumn[];
  /** Columns that identify a row; empty: every row counts. */
  readonly key: readonly string[];
  /** A row with a known key: it is dropped, or it takes the place of the one that stands. */
  readonly onConflict: 'first' | 'last';
}

/**
 * `CREATE <kind> <name> <before><options><after>`. Options can be compared, and some can be altered in place; secrets are
 * tokens (connectors/settings.ts). Other objects are named as quoteRelation does, so that they can be renamed.
 */
export interface ConnectorText {
  readonly before: string;
  /** Name → SQL of the value. */
  readonly options: Readonly<Record<string, string>>;
  readonly after: string;
  /** Its rows cannot be had again: it is never made anew while it holds some. */
  readonly lasting: boolean;
  /** Materialize: it makes a second object, `subsource(relation)`. */
  readonly subsource?: boolean;
  /** Of a sink on Materialize: quoted name of what it reads. */
  readonly from?: string;
}

export interface ModelRequest {
  readonly name: RelationName;
  readonly kind: 'view' | 'materialized_view';
  readonly query: string;
  /** Materialize: where it is computed; the target's when left out. */
  readonly cluster?: string;
  /** How long its changes are kept for readers that are away; the engine's default of seg when left out. */
  readonly retention?: string;
  readonly indexes: readonly (readonly string[])[];
}

/** One object that is to take the place of another. `standing` is where the old one is, `next` the new one. */
export interface Exchange {
  readonly standing: RelationName & { readonly kind: ObjectKind };
  readonly next: RelationName & { readonly kind: ObjectKind };
}

export interface Dialect {
  readonly engine: StreamingEngine;
  /** For messages: `RisingWave`. */
  readonly title: string;
  /** The engine's type for a type of PostgreSQL. @throws UnsupportedType */
  columnType(declared: string): string;
  createSchema(schema: string): string;
  /** Statements, each to be sent alone, in order. */
  createTable(request: TableRequest): string[];
  createModel(request: ModelRequest): string;
  /** Of a materialized view that is complete: a view that is still being filled takes no index on RisingWave. */
  createIndexes(request: Pick<ModelRequest, 'name' | 'kind' | 'indexes' | 'cluster'>): string[];
  /** The objects a node is made of, readers first: one, but for tables whose keys the engine does not know. */
  objectsOf(node: {
    readonly kind: ObjectKind;
    readonly relation: RelationName;
    readonly key: readonly string[];
    readonly connector?: ConnectorText;
  }): (RelationName & { readonly kind: ObjectKind })[];
  /**
   * A named change feed on a relation. @param of `FROM "schema"."name"` and what the engine wants to know of it.
   * Null where any relation can be followed without one.
   */
  createSubscription(name: RelationName, of: string): string | null;
  /** The engine's own time as `ms` since 1970, for feeds that must not go back behind a rebuild; null where none can. */
  readonly clock: string | null;
  addColumn(table: RelationName, column: TableColumn): string;
  /** `CREATE <kind> <name> ` of an object that a connector is made of. */
  createWords(kind: ObjectKind, name: RelationName): string;
  /** The options of a connector as they stand in its statement. */
  connectorOptions(options: Readonly<Record<string, string>>): string;
  /**
   * Alters options of what stands; null when the engine cannot, and it must be made anew.
   * @param set name → SQL; @param reset names that are gone
   */
  alterConnector(
    kind: ObjectKind,
    name: RelationName,
    change: { readonly set: Readonly<Record<string, string>>; readonly reset: readonly string[] },
  ): string[] | null;
  /** A secret's new value, by the text that makes one; null where secrets are no objects. */
  alterSecret(name: RelationName, as: string): string | null;
  /** How long changes are kept from now on, of a subscription or of a relation. @param retention undefined: the default */
  alterRetention(kind: ObjectKind, relation: RelationName, retention: string | undefined): string | null;
  /** Turns a sink to what bears the name that it reads now; null where it must be made anew. */
  turnSink(name: RelationName, connector: ConnectorText): string | null;
  /** How long changes are kept when nobody says otherwise. */
  readonly retention: string;
  drop(kind: ObjectKind, name: RelationName): string;
  /** Puts new objects in the place of standing ones; afterwards the old ones bear the new ones' former names. */
  exchange(pairs: readonly Exchange[]): string[];
  /** Whether the statements of an exchange may share a transaction, and then happen at once. */
  readonly exchangesAtOnce: boolean;
  /** Makes what was written visible to the next query; null where that is so anyhow. */
  readonly flush: string | null;
  /** Rows of `name` and `kind` (an ObjectKind): everything that stands in a schema. */
  objectsIn(schema: string): string;
  /** Columns of a relation in order: `name`, `type`. */
  columnsOf(relation: RelationName): string;
  /** Whether a view is complete: one row with `ready` = true. An error that says there is no such view yet means no. */
  readiness(relation: RelationName): string;
  /** How far the filling of a view is, for people: rows of `progress` (text). No row says nothing. */
  progress(relation: RelationName): string;
}

/** A type that the engine has not. */
export class UnsupportedType extends Error {
  readonly declared: string;
  readonly instead: string;

  constructor(declared: string, instead: string) {
    super(`no type ${declared}`);
    this.name = 'UnsupportedType';
    this.declared = declared;
    this.instead = instead;
  }
}

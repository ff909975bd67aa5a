/** What the compiler asks of the engine's catalog: plain data, gathered beforehand (`engines/introspect.ts`). */

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

export interface CatalogColumn {
  readonly name: string;
  /** As format_type prints it. */
  readonly type: string;
  readonly notNull: boolean;
  /** Whether its values can be hashed, so that it may be part of a partition key. */
  readonly hashable: boolean;
  /** GENERATED ALWAYS AS IDENTITY: the server numbers the rows, so that an order by it has no ties. */
  readonly identity?: boolean;
  /** Its collation, where that holds texts for equal that are not the same. */
  readonly loose?: string | null;
}

export interface CatalogRelation {
  /** Its name as SQL, which is its key wherever the compiler speaks of relations. */
  readonly key: string;
  /** `maintained`: a view that seg keeps; `where` is then the table that holds its rows. */
  readonly kind: 'table' | 'view' | 'maintained';
  readonly where: RelationName;
  readonly columns: readonly CatalogColumn[];
  /** Of a view: its definition as PostgreSQL prints it, all names qualified. */
  readonly definition: string | null;
  /** Column lists that are unique and not null. */
  readonly keys: readonly (readonly string[])[];
  /** Column lists of its plain btree indexes. */
  readonly indexes: readonly (readonly string[])[];
}

/** What a function's name stands for; where overloads differ, the more careful answer. */
export interface FunctionTraits {
  readonly aggregate: boolean;
  readonly volatile: boolean;
  readonly returnsSet: boolean;
}

export interface Catalog {
  /** Of a view's definition: as PostgreSQL prints it. */
  readonly relation: (schema: string, name: string) => CatalogRelation | undefined;
  readonly function: (name: string) => FunctionTraits | undefined;
  readonly clock: RelationName;
}

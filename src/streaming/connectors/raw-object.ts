/** The objects that a connector consists of, before they become nodes of a deployment. */
import type { RelationName } from '../../ivm/catalog.ts';
import { shortName } from '../../sql/short-name.ts';
import type { ConnectorText, ObjectKind } from '../dialect.ts';
import type { RawRecords } from './staging.ts';

/** Named after its source, so that one that is made beside another does not meet it. */
export function subsource({ schema, name }: RelationName): RelationName {
  return { schema, name: shortName(`${name}_table`) };
}

export interface RawObject {
  /** Appended to the source's unique_id: `raw`, `connection`, `secret`. */
  readonly suffix: string;
  readonly kind: Extract<ObjectKind, 'table' | 'source' | 'secret' | 'connection'>;
  readonly relation: RelationName;
  readonly text: ConnectorText;
  /** Suffixes of the objects it needs. */
  readonly reads: readonly string[];
}

/** What a connector gives: its objects, and either records of JSON or rows that are typed already. */
export interface ConnectorObjects {
  readonly objects: readonly RawObject[];
  readonly rows:
    | { readonly kind: 'json'; readonly raw: RawRecords }
    /** The query of the source's view, or null: the last object is the source itself. */
    | { readonly kind: 'typed'; readonly query: string | null };
}

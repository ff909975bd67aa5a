import type { JsonValue } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import type { DeployedColumn } from '../state/nodes.ts';
import type { NodeSpec } from './spec.ts';

/** What the builders of the node kinds need of the deployer. */
export interface BuildContext {
  readonly tx: Connection;
  readonly stateSchema: string;
  /** Where unqualified names are looked up, now and in the programs. */
  readonly searchPath: readonly string[];
  /** A deployed node's number in the changelog. */
  nodeId(uniqueId: string): number | undefined;
  /** The number of the step this transaction is, taken when first asked for. */
  epoch(): Promise<string>;
  /** Drops the plain views that read a deployed relation, to be made again when they are settled. */
  detachReaders(uniqueId: string): Promise<void>;
  /** Names of the columns of all that a node reads, to suggest for a misspelt one. */
  columnsRead(spec: NodeSpec): readonly string[];
}

/** What a builder did. */
export interface Built {
  readonly columns: readonly DeployedColumn[];
  /** The table in the state schema; null for kinds that have none. */
  readonly state: string | null;
  /** Rows now, where they were counted. */
  readonly rows: number | null;
  readonly inserted: number;
  readonly deleted: number;
  /** The columns are not those of the node that stood there. */
  readonly reshaped: boolean;
  /** The input table was made anew, so its triggers are gone. */
  readonly recreated: boolean;
  /** What else is to be remembered of the node. */
  readonly settings?: { readonly [name: string]: JsonValue };
}

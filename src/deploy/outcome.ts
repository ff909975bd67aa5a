/** What deploying one node did. */
export type DeployAction =
  /** It was not there. */
  | 'created'
  /** Its definition changed: brought in line by the difference, or built anew and put in its place. */
  | 'changed'
  /** Its definition is the same, but what it reads changed, or a refresh was asked for. */
  | 'refreshed'
  | 'unchanged'
  /** It is gone from the project. `dropped` with --prune, else only reported. */
  | 'dropped'
  /** It is gone from the project, and its table is somebody else's: that stays, without triggers of seg's. */
  | 'released'
  | 'orphaned';

export interface NodeOutcome {
  readonly uniqueId: string;
  readonly label: string;
  readonly action: DeployAction;
  /** Rows of the relation after it was created; null where rows were not counted (views). */
  readonly rows: number | null;
  /** For a relation that was there: rows that came and went. */
  readonly inserted: number;
  readonly deleted: number;
  /** Columns were added, removed or changed type. */
  readonly reshaped: boolean;
  /** Of a source: what changed of how its records are read, in words. */
  readonly intake?: readonly string[];
}

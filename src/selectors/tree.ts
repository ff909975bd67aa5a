/** A selection expression as a tree, whether it came from the command line or from selectors.yml. */

export type IndirectSelection = 'eager' | 'cautious' | 'buildable' | 'empty';

export const INDIRECT_SELECTIONS: readonly IndirectSelection[] = ['eager', 'cautious', 'buildable', 'empty'];

/** `2+tag:nightly+`: one method with a value, and how far its graph operators reach. */
export interface Criterion {
  readonly kind: 'criterion';
  readonly method: string;
  /** What stands behind the method's first dot: `config.meta.owner` has `['meta', 'owner']`. */
  readonly methodArguments: readonly string[];
  readonly value: string;
  /** `+a`: how many generations of ancestors; `Infinity` for all, 0 for none. */
  readonly parents: number;
  readonly children: number;
  /** `@a`. */
  readonly childrensParents: boolean;
  /** How tests join the selection; null leaves it to the command's `--indirect-selection`. */
  readonly indirectSelection: IndirectSelection | null;
  /** As written, for messages. */
  readonly raw: string;
}

export interface Combination {
  readonly kind: 'union' | 'intersection' | 'difference';
  /** For a difference: what to start from, then what to take away. */
  readonly of: readonly SelectionTree[];
  readonly raw: string;
  /** Warn when the result is empty. */
  readonly mustMatch: boolean;
}

export type SelectionTree = Criterion | Combination;

/** The stages a view is kept in: hidden relations that hold intermediate results, and the view itself at the end. */
import type { Op } from '../relation/ir.ts';
import type { MergePlan } from './merge-plan.ts';
import type { SuffixPlan } from './suffix.ts';

/** How one stage is kept. `top`: a few rows, read again by an index on their order. */
export type Strategy = 'linear' | 'merge' | 'rekey' | 'suffix' | 'top' | 'recompute';

export interface StageColumn {
  /** Id in the tree. */
  readonly id: string;
  /** Column of the table that holds the stage. */
  readonly name: string;
  /** Kept for maintenance only; users do not see it. */
  readonly hidden: boolean;
}

export interface Stage {
  /** Unique in the view: `''` is the view itself, others are numbered. */
  readonly name: string;
  /** null when the query was not understood: its text is run as it is. */
  readonly root: Op | null;
  /** Of an intermediate result that was not understood: its query. That of a view is the user's. */
  readonly text?: string;
  /** Of an intermediate result that is recomputed so that the rest of the view need not be. */
  readonly part?: true;
  /** Relations it reads: keys of the catalog, `#n` for hidden stages of the same view. */
  readonly reads: readonly string[];
  readonly readsClock: boolean;
  readonly columns: readonly StageColumn[];
  readonly strategy: Strategy;
  /** Of the view itself: lists of its columns' names by which no two rows are the same, NULL being a value like others. */
  readonly keys?: readonly (readonly string[])[];
  /** Ids (in the root's output) of the columns that partition a rekeyed stage, or one kept by suffixes, or tell merged groups. */
  readonly key: readonly string[];
  /** Of a stage kept by suffixes. */
  readonly suffix?: StageSuffix;
  /** Of a stage of first rows whose order begins with texts, which may be too long for an index. */
  readonly top?: StageTop;
  /** Of a merged stage: what is kept of each group; `root` is then a projection over an aggregate of exactly that. */
  readonly merge?: MergePlan;
  /** Why this strategy, and what a change costs: words for people. */
  readonly reason: string;
  readonly cost: string;
}

export interface StageTop {
  /** So many columns of the order are in the index. */
  readonly bound: number;
  /** Columns of the scan among them whose lengths are asked for. */
  readonly texts: readonly string[];
}

export interface StageSuffix extends SuffixPlan {
  /** Under which id the stage's output shows a column of the base or of a window. */
  readonly shown: { readonly [id: string]: string };
}

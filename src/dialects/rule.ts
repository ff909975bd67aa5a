/**
 * Rules on PostgreSQL's parse tree: what of a query an engine refuses or answers otherwise. One definition per rule; the check
 * (lacks-of.ts), the rewriting (rewrite.ts), the tests and the table in docs/engines.md are all made from it.
 */
import type { QueryText, Range } from './query-text.ts';
import type { Tree } from './tree.ts';
import type { VisibleType } from './visible-type.ts';

/**
 * `refused`: the engine does not take it. `value`: it answers something else. `some`: it answers something else for the
 * values that the rule names. `text`: the same value, written otherwise.
 */
export type Effect = 'refused' | 'value' | 'some' | 'text';

export interface Rule {
  readonly effect: Effect;
  /** Lower case, without full stop: `EXCEPT ALL`; of answers a clause: `lower() leaves letters beyond ASCII as they are`. */
  readonly what: string;
  /** What to write instead: full sentences. */
  readonly remedy: string;
  /** A query that the rule finds. */
  readonly example: string;
  /** What the example answers on PostgreSQL and on the engine; not of what is refused. */
  readonly answers?: readonly [postgres: string, engine: string];
  /** The kinds of nodes that are looked at. */
  readonly on: readonly string[];
  /** true: the node itself; a Found says more. */
  readonly find: (place: Place) => boolean | Found | readonly Found[] | undefined;
  /** The same written so that both engines agree; undefined where that cannot be done for this node. */
  readonly rewrite?: (place: Place) => readonly Rewrite[] | undefined;
}

export interface Found {
  /** Instead of the rule's own. */
  readonly what?: string;
  readonly remedy?: string;
  /** The node whose place is told, when that is another one. */
  readonly at?: unknown;
}

/** A range of the query and what is to stand there: text, and ranges of the query as they are rewritten themselves. */
export interface Rewrite {
  readonly range: Range;
  readonly parts: readonly (string | Range)[];
}

/** What a rule has found in a query. */
export interface Lack {
  readonly effect: Effect;
  readonly what: string;
  readonly remedy: string;
  /** UTF-16 offset in the query. */
  readonly offset: number;
}

/** Where in a query something stands. */
export type Clause = 'select' | 'where' | 'group' | 'order' | 'filter' | 'from';

/** A node of PostgreSQL's parse tree with what a rule may want to know of its place. */
export interface Place {
  readonly kind: string;
  readonly node: Tree;
  /** `{ [kind]: node }`, as QueryText takes it; the field's owner where the tree has no such wrapper. */
  readonly wrapped: Tree;
  readonly clause: Clause;
  /** The query is a view that is kept up to date, and not a question that is answered once. */
  readonly maintained: boolean;
  /** The nodes around this one, the nearest first. */
  readonly around: readonly { readonly kind: string; readonly node: Tree }[];
  readonly text: QueryText;
  /** The type of an expression, as far as the query itself and the declared columns of what it reads tell it. */
  readonly typeOf: (expression: unknown) => VisibleType | undefined;
}

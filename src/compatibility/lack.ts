/** A construct of a query that an engine has not. */
export interface Lack {
  /** Lower case, without full stop: `EXCEPT ALL`, `a window without PARTITION BY`. */
  readonly what: string;
  /** What to write instead: a full sentence. */
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
  readonly clause: Clause;
  /** The query is a view that is kept up to date, and not a question that is answered once. */
  readonly maintained: boolean;
  /** The query from this node on, as it is written. */
  readonly written: () => string;
  /** Notes a lack here, or at another node's place. */
  readonly lack: (what: string, remedy: string, at?: unknown) => void;
}

export interface Tree {
  readonly [key: string]: unknown;
}

export function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function listOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.filter(isTree) : [];
}

/** The texts of a list of String nodes: the parts of a name. */
export function texts(value: unknown): string[] {
  return listOf(value).flatMap((item) => {
    const text = (item['String'] as Tree | undefined)?.['sval'];
    return typeof text === 'string' ? [text] : [];
  });
}

/** The name of a called function, without its schema. */
export function calledName(call: Tree): string {
  return texts(call['funcname']).at(-1)?.toLowerCase() ?? '';
}

/** From parsenodes.h: the frame of a window. */
export const frame = {
  range: 0x00002,
  rows: 0x00004,
  groups: 0x00008,
  startOffset: 0x00800 | 0x02000,
  endOffset: 0x01000 | 0x04000,
  excludeGroup: 0x10000,
  excludeTies: 0x20000,
} as const;

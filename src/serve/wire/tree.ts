/** Walks of the parser's trees, without recursion: a statement may be nested deeper than the stack. */

export interface Call {
  /** Without its schema. */
  readonly name: string;
  /** In bytes of the text. */
  readonly location: number | undefined;
}

/** Every object of a tree. */
export function* objectsOf(tree: object): Generator<Record<string, unknown>> {
  const stack: object[] = [tree];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (!Array.isArray(node)) yield node as Record<string, unknown>;
    for (const value of Object.values(node) as unknown[]) {
      if (typeof value === 'object' && value !== null) stack.push(value);
    }
  }
}

/** The functions that a statement calls by name. */
export function* callsIn(tree: object): Generator<Call> {
  for (const { FuncCall } of objectsOf(tree)) {
    if (FuncCall === undefined) continue;
    const { funcname, location } = FuncCall as {
      funcname?: { String?: { sval?: string } }[];
      location?: number;
    };
    const name = funcname?.at(-1)?.String?.sval;
    // The parser leaves out what is zero.
    if (name !== undefined) yield { name, location: location ?? 0 };
  }
}

const ANALYSED = /^(Select|Insert|Update|Delete|Merge|DeclareCursor|Explain|Prepare|CreateTableAs)/;

/**
 * How deep PostgreSQL's own trees of a statement are, at most. In queries an operator, a call and a cast are two levels, themselves and
 * the list of what they are of; in other statements, which are not analysed when they are prepared, operators and casts are one.
 */
export function levelsOf(tree: object): number {
  const ofOperators = ANALYSED.test(Object.keys(tree)[0] ?? '') ? 2 : 1;
  let deepest = 0;
  const stack: { node: object; level: number }[] = [{ node: tree, level: 0 }];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { node, level } = at;
    deepest = Math.max(deepest, level);
    for (const [key, value] of Object.entries(node) as [string, unknown][]) {
      if (typeof value !== 'object' || value === null) continue;
      // `{ A_Expr: {...} }`: the outer object only says of which kind the inner one is.
      const own = isKind(key)
        ? /^(A_Expr|TypeCast)$/.test(key)
          ? ofOperators
          : 1
        : !Array.isArray(value) && isKind(Object.keys(value)[0])
          ? 0
          : 1;
      stack.push({ node: value, level: level + own });
    }
  }
  return deepest;
}

function isKind(key: string | undefined): boolean {
  return key !== undefined && /^[A-Z]/.test(key);
}

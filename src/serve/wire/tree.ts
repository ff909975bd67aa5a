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

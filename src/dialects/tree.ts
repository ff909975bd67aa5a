/** Reading PostgreSQL's parse trees, as libpg-query gives them. */
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

/** The arguments of a called function. */
export function argumentsOf(call: Tree): readonly Tree[] {
  return listOf(call['args']);
}

/** The operator of an expression such as a + b; empty for anything else. */
export function operatorOf(expression: Tree): string {
  return expression['kind'] === 'AEXPR_OP' ? (texts(expression['name']).at(-1) ?? '') : '';
}

/** The text of a constant; undefined for everything else. */
export function constantText(value: unknown): string | undefined {
  const constant = inner(value, 'A_Const');
  const text = (constant?.['sval'] as Tree | undefined)?.['sval'];
  if (constant !== undefined && 'sval' in constant) return typeof text === 'string' ? text : '';
  // 'x'::text is a constant too.
  const cast = inner(value, 'TypeCast');
  return cast === undefined ? undefined : constantText(cast['arg']);
}

/** The integer of a constant, -1 too; undefined for everything else. */
export function constantInteger(value: unknown): number | undefined {
  const constant = inner(value, 'A_Const');
  if (constant !== undefined && isTree(constant['ival'])) return Number(constant['ival']['ival'] ?? 0);
  const negative = inner(value, 'A_Expr');
  if (negative === undefined || operatorOf(negative) !== '-' || negative['lexpr'] !== undefined)
    return undefined;
  const number = constantInteger(negative['rexpr']);
  return number === undefined ? undefined : -number;
}

/** The node within its wrapper `{ Kind: node }`. */
export function inner(value: unknown, kind: string): Tree | undefined {
  const node = isTree(value) ? value[kind] : undefined;
  return isTree(node) ? node : undefined;
}

/** A tree without places: equal text for expressions that mean the same. */
export function meaningOf(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) =>
    key === 'location' || key.startsWith('rexpr_list_') || key.startsWith('list_') ? undefined : item,
  );
}

/** Whether something in a tree is so. */
export function anywhere(value: unknown, is: (kind: string, node: Tree) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => anywhere(item, is));
  if (!isTree(value)) return false;
  return Object.entries(value).some(([kind, node]) => (isTree(node) && is(kind, node)) || anywhere(node, is));
}

/** From parsenodes.h: the frame of a window. */
export const frame = {
  nondefault: 0x00001,
  range: 0x00002,
  rows: 0x00004,
  groups: 0x00008,
  startOffset: 0x00800 | 0x02000,
  endOffset: 0x01000 | 0x04000,
  excludeGroup: 0x10000,
  excludeTies: 0x20000,
} as const;

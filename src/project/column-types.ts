/** The declared types of the columns that a node reads, by name: what rules about engines know beside the query. */
import { declaredType } from '../dialects/visible-type.ts';
import type { VisibleType } from '../dialects/visible-type.ts';
import { SqlSyntaxError } from '../sql/parse.ts';
import type { Manifest } from './manifest.ts';
import type { ModelNode, TestNode } from './nodes.ts';
import { valuesOf } from '../json/member-order.ts';

/** Names that two of the relations it reads declare with different types are left out. `loadSqlParser` must have been awaited. */
export function columnTypes(
  manifest: Pick<Manifest, 'nodes' | 'sources'>,
  node: ModelNode | TestNode,
): ReadonlyMap<string, VisibleType> {
  const types = new Map<string, VisibleType | undefined>();
  for (const id of node.depends_on.nodes) {
    const parent = manifest.sources[id] ?? manifest.nodes[id];
    if (parent === undefined) continue;
    for (const { name, data_type, generated } of valuesOf(parent.columns)) {
      const declared =
        data_type ??
        (generated === 'position' ? 'bigint' : generated === undefined ? undefined : 'timestamptz');
      const type = declared === undefined ? undefined : typeOf(declared);
      types.set(name, types.has(name) && types.get(name) !== type ? undefined : type);
    }
  }
  return new Map([...types].flatMap(([name, type]) => (type === undefined ? [] : [[name, type] as const])));
}

function typeOf(declared: string): VisibleType | undefined {
  try {
    return declaredType(declared);
  } catch (error) {
    // A type that is none is told elsewhere.
    if (error instanceof SqlSyntaxError) return undefined;
    throw error;
  }
}

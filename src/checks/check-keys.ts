import { keyColumns } from '../connectors/seed-columns.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ModelNode, SeedNode } from '../project/nodes.ts';
import { choiceHint, mistake } from './found.ts';
import type { ProjectColumns } from './project-columns.ts';

/** SEG426: columns of a `unique_key` that the relation does not have. */
export function checkKeys(
  nodes: readonly (ModelNode | SeedNode)[],
  { columns }: ProjectColumns,
): Diagnostic[] {
  return nodes.flatMap((node) => {
    const known = columns.get(node.unique_id);
    if (known === undefined || known.open) return [];
    return keyOf(node)
      .filter((name) => !known.names.includes(name))
      .map((name) =>
        mistake(
          'SEG426',
          `unknown column "${name}" in the unique_key of ${node.resource_type} "${node.name}"`,
          node.key_at ?? node.at,
          choiceHint(name, { kind: 'columns', names: known.names }),
        ),
      );
  });
}

function keyOf(node: ModelNode | SeedNode): readonly string[] {
  if (node.resource_type === 'seed') return keyColumns(node);
  return [node.config.unique_key ?? []].flat();
}

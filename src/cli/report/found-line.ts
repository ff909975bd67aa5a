import type { Manifest } from '../../project/manifest.ts';

const NAMES: Record<string, [one: string, many: string]> = {
  model: ['model', 'models'],
  seed: ['seed', 'seeds'],
  test: ['data test', 'data tests'],
  source: ['source', 'sources'],
  exposure: ['exposure', 'exposures'],
  macro: ['macro', 'macros'],
  group: ['group', 'groups'],
  unit_test: ['unit test', 'unit tests'],
  scenario: ['scenario', 'scenarios'],
};

/**
 * dbt's `Found 2 models, 1 seed, 3 data tests, 4 sources, 20 macros, 1 unit test`: the kinds of `nodes` in the order
 * they first come, then the rest; what there is none of is left out.
 */
export function foundLine(manifest: Manifest): string {
  const counts = new Map<string, number>();
  const count = (kind: string, many = 1) => counts.set(kind, (counts.get(kind) ?? 0) + many);
  for (const node of Object.values(manifest.nodes)) count(node.resource_type);
  count('source', Object.keys(manifest.sources).length);
  count('exposure', Object.keys(manifest.exposures).length);
  count('macro', Object.keys(manifest.macros).length);
  count('group', Object.keys(manifest.groups).length);
  count('unit_test', Object.keys(manifest.unit_tests).length);
  count('scenario', Object.keys(manifest.scenarios).length);
  const parts = [...counts].filter(([, many]) => many > 0).map(([kind, many]) => counted(many, kind));
  return `Found ${parts.length > 0 ? parts.join(', ') : 'nothing'}`;
}

function counted(many: number, kind: string): string {
  const [one, several] = NAMES[kind]!;
  return `${many} ${many === 1 ? one : several}`;
}

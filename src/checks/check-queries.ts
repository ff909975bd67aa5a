import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { placeFor } from '../diagnostics/source-map.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import { choiceHint } from './found.ts';
import type { ProjectColumns } from './project-columns.ts';

/** SEG315: columns and aliases that the queries of models and tests name and nothing they read has. */
export function checkQueries(project: Project, { unknown }: ProjectColumns): Diagnostic[] {
  const nodes = allNodes(project.manifest);
  const found = [...unknown].flatMap(([id, names]) => {
    const node = nodes.get(id)!;
    return names.map(({ what, name, offset, candidates }): Diagnostic => {
      const map = project.sourceMaps.get(id) ?? null;
      const hint = choiceHint(name, {
        kind: what.startsWith('column') ? 'columns' : 'aliases',
        names: candidates,
      });
      return {
        severity: 'error',
        code: 'SEG315',
        message: `${what} does not exist (${node.resource_type} "${node.name}")`,
        ...placeFor(map, offset, name.length, node.at),
        ...(hint === undefined ? {} : { hint }),
      };
    });
  });
  // A generic test names its column many times, all of them at the test's own place.
  return found.filter((one, index) => found.findIndex((other) => isSame(one, other)) === index);
}

function isSame(a: Diagnostic, b: Diagnostic): boolean {
  return (
    a.message === b.message &&
    a.at?.file === b.at?.file &&
    a.at?.line === b.at?.line &&
    a.at?.column === b.at?.column
  );
}

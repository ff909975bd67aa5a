/** Mistakes that need no data end a command before it does anything (checks/check-project.ts). */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Project } from '../project/load.ts';
import type { GraphNode } from '../project/nodes.ts';

/** @throws SegError with everything that is wrong; exit code 2 */
export async function checked(project: Project): Promise<Project> {
  const { checkProject } = await import('../checks/check-project.ts');
  throwIfAny(await checkProject(project));
  return project;
}

/** The same for the unit tests and scenarios among `nodes`. */
export async function checkedTests(project: Project, nodes: readonly GraphNode[]): Promise<void> {
  if (!nodes.some(({ resource_type: type }) => type === 'unit_test' || type === 'scenario')) return;
  const { checkTests } = await import('../checks/check-project.ts');
  throwIfAny(await checkTests(project, nodes));
}

function throwIfAny(found: readonly Diagnostic[]): void {
  if (found.length > 0) throw new SegError(found);
}

/** Inputs and columns that unit tests name. */
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import type { Project } from '../project/load.ts';
import type { UnitTestNode } from '../project/nodes.ts';
import { parseYaml } from '../project/yaml.ts';
import { StepMistake } from '../testing/step-outcome.ts';
import { readInput } from '../testing/unit-inputs.ts';
import { checkRows, type Known } from './check-rows.ts';
import { mistake } from './found.ts';
import type { ProjectColumns } from './project-columns.ts';

export function checkUnitTests(
  project: Project,
  { columns }: ProjectColumns,
  tests: readonly UnitTestNode[],
): Diagnostic[] {
  return tests.flatMap((test) => {
    const at = placesOf(project, test);
    const model = test.depends_on.nodes
      .map((id) => project.manifest.nodes[id])
      .find((node) => node?.name === test.model);
    const found: Diagnostic[] = [];
    const check = (known: Known, { rows, format, fixture }: UnitTestNode['expect'], path: Path): void => {
      if (format === 'sql') return;
      const text = typeof rows === 'string' && format === 'csv' ? 'csv' : undefined;
      found.push(
        ...checkRows(known, rows, text, (below) => at(fixture === null ? [...path, 'rows', ...below] : path)),
      );
    };
    for (const [index, given] of test.given.entries()) {
      const path = ['given', index];
      try {
        const input = readInput(project, given.input);
        if (input.kind === 'this') continue;
        const { unique_id, resource_type, name } = input.node;
        check({ title: `${resource_type} "${name}"`, columns: columns.get(unique_id) }, given, path);
      } catch (error) {
        if (!(error instanceof StepMistake)) throw error;
        found.push(mistake('SEG319', error.message, at([...path, 'input']), error.hint));
      }
    }
    if (model !== undefined)
      check({ title: `model "${model.name}"`, columns: columns.get(model.unique_id) }, test.expect, [
        'expect',
      ]);
    return found;
  });
}

type Path = readonly (string | number)[];

/** Places below a unit test in its property file; its name where they are not found. */
function placesOf(project: Project, test: UnitTestNode): (path: Path) => Location {
  const text = project.files.get(test.original_file_path);
  if (text === undefined) return () => test.at;
  const { yaml } = parseYaml(test.original_file_path, text);
  const list = (yaml.value as { unit_tests?: JsonValue }).unit_tests;
  const index = (Array.isArray(list) ? list : []).findIndex((_, i) => {
    const { line, column } = yaml.at(['unit_tests', i, 'name']);
    return line === test.at.line && column === test.at.column;
  });
  return index < 0
    ? () => test.at
    : (path) => yaml.at(['unit_tests', index, ...path], typeof path.at(-1) === 'number' ? 'value' : 'key');
}

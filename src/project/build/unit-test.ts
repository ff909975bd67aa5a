import type { JsonValue } from '../../changelog/change.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { asList, mergeConfig } from '../config.ts';
import type { UnitTestNode } from '../nodes.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import type { Workspace } from '../workspace.ts';
import { describe } from './descriptions.ts';
import { commonConfig, objectOrEmpty, projectLayers, propertyLayers } from './layers.ts';
import { folders, sha256 } from './model.ts';
import { pythonStr } from '../python-text.ts';

type Format = 'dict' | 'csv' | 'sql';

/** A fixture file of tests/fixtures, by its name without ending. */
export interface Fixture {
  readonly text: string;
  readonly format: 'csv' | 'sql';
}

/** A unit test's node; rows of a fixture are filled in. Its depends_on is completed when all names are known. */
export function buildUnitTest(
  workspace: Workspace,
  property: Property,
  fixtures: ReadonlyMap<string, Fixture>,
): UnitTestNode {
  const { owner, values, name } = property;
  const model = pythonStr(values.model);
  const fqn = [owner.name, ...folders(property.path), model, name];
  const merged = mergeConfig([
    ...projectLayers(workspace, owner, 'unit_test', fqn),
    ...propertyLayers(workspace, property, 'unit_test', ['tags']),
  ]);
  const config = commonConfig(merged.values);
  const table = (written: JsonObject, path: (string | number)[]): UnitTestNode['expect'] => {
    const fixture = typeof written.fixture === 'string' ? written.fixture : null;
    let rows: JsonValue = written.rows ?? [];
    let format = (written.format as Format | null | undefined) ?? (typeof rows === 'string' ? 'csv' : 'dict');
    if (fixture !== null) {
      const found = fixtures.get(fixture);
      if (found === undefined) {
        workspace.collector.error('SEG128', `unknown fixture "${fixture}"`, {
          at: property.at([...path, 'fixture']),
          hint: didYouMean(fixture, fixtures.keys()) ?? 'Put it into tests/fixtures as .csv or .sql.',
        });
      } else {
        rows = found.text;
        format = found.format;
      }
    }
    return { rows, format, fixture };
  };
  const overrides = objectOrEmpty(values.overrides);
  return {
    resource_type: 'unit_test',
    unique_id: `unit_test.${owner.name}.${model}.${name}`,
    name,
    package_name: owner.name,
    path: property.path,
    original_file_path: property.originalFile,
    fqn,
    description: describe(workspace, property, values.description, ['description']),
    tags: config.tags,
    meta: config.meta,
    config,
    unrendered_config: merged.unrendered,
    patch_path: null,
    checksum: sha256(JSON.stringify(values)),
    depends_on: { nodes: [], macros: [] },
    at: property.at(['name']),
    model,
    given: asList(values.given).flatMap((input, index) =>
      isObject(input) ? [{ input: pythonStr(input.input), ...table(input, ['given', index]) }] : [],
    ),
    expect: table(objectOrEmpty(values.expect), ['expect']),
    overrides: {
      macros: objectOrEmpty(overrides.macros),
      vars: objectOrEmpty(overrides.vars),
      env_vars: objectOrEmpty(overrides.env_vars),
    },
  };
}

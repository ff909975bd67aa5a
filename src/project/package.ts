import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import type { Collector } from './collector.ts';
import { asList, FolderConfig } from './config.ts';
import { isObject } from './project-file.ts';
import type { JsonObject, RawProjectFile } from './project-file.ts';
import { renderTree } from './render-tree.ts';
import type { ConfigKind } from './schemas/config-schemas.ts';
import { projectSchema } from './schemas/project-schema.ts';
import { validateRecord } from './validate.ts';

/** The root project or an installed package, its project file read, rendered and validated. */
export interface Package {
  readonly name: string;
  /** Absolute. */
  readonly root: string;
  /** What comes before its files' names, seen from the root project: empty, or `dbt_packages/<folder>/`. */
  readonly prefix: string;
  readonly file: string;
  readonly paths: {
    readonly models: readonly string[];
    readonly seeds: readonly string[];
    readonly tests: readonly string[];
    readonly macros: readonly string[];
    readonly analyses: readonly string[];
    readonly snapshots: readonly string[];
    readonly docs: readonly string[];
    /** Every folder that may hold property files. */
    readonly properties: readonly string[];
  };
  readonly targetPath: string;
  readonly packagesPath: string;
  readonly cleanTargets: readonly string[];
  readonly vars: JsonObject;
  readonly onRunStart: readonly string[];
  readonly onRunEnd: readonly string[];
  readonly configs: Readonly<Record<ConfigKind, FolderConfig>>;
}

/** Which keys of the project file hold the configuration of which kind of node. */
const trees: readonly [key: string, kind: ConfigKind][] = [
  ['models', 'model'],
  ['seeds', 'seed'],
  ['sources', 'source'],
  ['data_tests', 'test'],
  ['unit_tests', 'unit_test'],
  ['scenarios', 'scenario'],
  ['sinks', 'sink'],
  ['exposures', 'exposure'],
];

/** Texts that are rendered when they run (hooks), or never (vars), but not while the file is read. */
function keepsTemplates(path: readonly (string | number)[]): boolean {
  const [first] = path;
  if (first === 'vars' || first === 'on-run-start' || first === 'on-run-end' || first === 'query-comment')
    return true;
  return path.some((step) => /^\+?(?:pre|post)[-_]hook$/.test(String(step)));
}

/** Validates and renders a project file; mistakes go to `collector`. */
export function readPackage(
  raw: RawProjectFile,
  prefix: string,
  render: (file: string, text: string, at: Location) => JsonValue,
  collector: Collector,
): Package {
  const file = `${prefix}${raw.file}`;
  const at: RawProjectFile['at'] = (path, part) => ({ ...raw.at(path, part), file });
  const values =
    (collector.attempt(() =>
      renderTree(raw.values, (text, path) => render(file, text, at(path)), keepsTemplates),
    ) as JsonObject | undefined) ?? raw.values;
  // What is wrong in somebody else's package is not the user's to mend.
  const found = validateRecord(projectSchema, values, at).map((diagnostic) =>
    diagnostic.code === 'SEG111' && raw.values.name === undefined
      ? { ...diagnostic, hint: 'Add "name:", the name of the project.' }
      : diagnostic,
  );
  if (values.name === undefined) {
    collector.error('SEG111', 'missing key "name" in the project file', { at: at([]), hint: 'Add "name:".' });
  }
  collector.add(prefix === '' ? found : found.filter(({ severity }) => severity === 'error'));
  if (values.tests !== undefined && values.data_tests !== undefined) {
    collector.error('SEG115', 'both "tests" and "data_tests" in the project file', {
      at: at(['tests'], 'key'),
      notes: [{ message: 'The other is here.', at: at(['data_tests'], 'key') }],
      hint: 'They are two names of the same key: move all of it under "data_tests".',
    });
  }
  const configs = Object.fromEntries(
    trees.map(([key, kind]) => {
      const written = key === 'data_tests' && values.data_tests === undefined ? 'tests' : key;
      const tree = values[written];
      const unrendered = raw.values[written];
      const config = new FolderConfig(
        kind,
        isObject(tree) ? tree : {},
        isObject(unrendered) ? unrendered : {},
        (path, part) => at([written, ...path], part),
      );
      const mistakes = config.check();
      collector.add(prefix === '' ? mistakes : mistakes.filter(({ severity }) => severity === 'error'));
      return [kind, config];
    }),
  ) as Record<ConfigKind, FolderConfig>;

  const folders = (key: string, fallback: string[], old?: string): string[] => {
    const written = values[key] ?? (old === undefined ? undefined : values[old]);
    return Array.isArray(written) ? written.filter((name) => typeof name === 'string') : fallback;
  };
  const models = folders('model-paths', ['models'], 'source-paths');
  const seeds = folders('seed-paths', ['seeds'], 'data-paths');
  const tests = folders('test-paths', ['tests']);
  const macros = folders('macro-paths', ['macros']);
  const analyses = folders('analysis-paths', ['analyses']);
  const snapshots = folders('snapshot-paths', ['snapshots']);
  // seg: a folder `sources` holds property files even when no key lists it, as dbt projects like to have one.
  const properties = [
    ...new Set([...models, ...seeds, ...tests, ...macros, ...analyses, ...snapshots, 'sources']),
  ];
  const text = (key: string, fallback: string): string => {
    const value = values[key];
    return typeof value === 'string' && value !== '' ? value : fallback;
  };
  const texts = (key: string): string[] => asList(values[key]).filter((item) => typeof item === 'string');
  const cleaned = texts('clean-targets');
  return {
    name: typeof values.name === 'string' ? values.name : 'unnamed',
    root: raw.root,
    prefix,
    file,
    paths: {
      models,
      seeds,
      tests,
      macros,
      analyses,
      snapshots,
      docs: folders('docs-paths', properties),
      properties,
    },
    targetPath: text('target-path', 'target'),
    packagesPath: text('packages-install-path', 'dbt_packages'),
    cleanTargets: cleaned.length > 0 ? cleaned : [text('target-path', 'target')],
    vars: isObject(values.vars) ? values.vars : {},
    onRunStart: texts('on-run-start'),
    onRunEnd: texts('on-run-end'),
    configs,
  };
}

/** The scenarios of a file, checked: text → Scenario with places, or diagnostics with file:line:column. Pure. */
import type { JsonRow, JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { parseYaml, type YamlFile } from '../project/yaml.ts';
import type { RowsFormat } from './rows-text.ts';
import type {
  ChangesStep,
  ExpectStep,
  IngestStep,
  RowsSource,
  Scenario,
  SeedStep,
  SinkStep,
  Step,
  YamlPath,
} from './scenario.ts';
import { scenarioSchema } from './scenario-schema.ts';
import { keyMistakes } from './step-keys.ts';
import { compileSchema, schemaDiagnostics } from './schema-errors.ts';

const validate = compileSchema(scenarioSchema);

/** Every scenario of one file. Those with mistakes are left out and their diagnostics given, all of them. */
export function parseScenarios(file: string, text: string): { scenarios: Scenario[]; errors: Diagnostic[] } {
  const { yaml, errors } = parseYaml(file, text);
  if (errors.length > 0) return { scenarios: [], errors };
  const list = (yaml.value as { scenarios?: JsonValue } | null)?.scenarios;
  if (list === undefined || list === null) return { scenarios: [], errors: [] };
  if (!Array.isArray(list)) {
    const at = yaml.at(['scenarios']);
    return { scenarios: [], errors: [mistake('SEG611', '"scenarios" must be a list', at)] };
  }
  const scenarios: Scenario[] = [];
  const seen = new Map<string, Location>();
  for (const [index, value] of list.entries()) {
    const path = ['scenarios', index];
    const found = schemaDiagnostics(validate, value, 'SEG612', (below, part) =>
      yaml.at([...path, ...below], part),
    );
    if (found.length === 0) {
      const reader = new ScenarioReader(yaml, path, found);
      const scenario = reader.scenario(value as Fields);
      const first = seen.get(scenario.name);
      const at = yaml.at([...path, 'name']);
      if (first !== undefined) {
        found.push({
          ...mistake(
            'SEG613',
            `two scenarios have the name "${scenario.name}"`,
            at,
            'Rename one of the two.',
          ),
          notes: [{ message: 'first here', at: first }],
        });
      } else seen.set(scenario.name, at);
      if (found.length === 0) scenarios.push(scenario);
    }
    errors.push(...found);
  }
  return { scenarios, errors };
}

type Fields = { [key: string]: JsonValue };

function mistake(code: string, message: string, at: Location, hint?: string): Diagnostic {
  return { severity: 'error', code, message, at, ...(hint === undefined ? {} : { hint }) };
}

/** Reads what the schema has let through; what a schema cannot say (keys that need each other) is checked here. */
class ScenarioReader {
  readonly #yaml: YamlFile;
  readonly #path: YamlPath;
  readonly #errors: Diagnostic[];

  constructor(yaml: YamlFile, path: YamlPath, errors: Diagnostic[]) {
    this.#yaml = yaml;
    this.#path = path;
    this.#errors = errors;
  }

  scenario(fields: Fields): Scenario {
    const orders = fields['orders'];
    const steps = (fields['steps'] as Fields[]).map((step, i) =>
      this.#step(step, i + 1, [...this.#path, 'steps', i]),
    );
    if (orders !== undefined && !steps.some((step) => step.ingest?.anyOrder)) {
      this.#error(
        'SEG614',
        '"orders" without a step that says "any_order: true"',
        ['orders'],
        'Mark the ingest steps whose order must not matter.',
      );
    }
    const anyOrder = steps.some((step) => step.ingest?.anyOrder);
    return {
      name: fields['name'] as string,
      description: (fields['description'] as string | undefined) ?? '',
      at: instant(fields['at']),
      vars: (fields['vars'] as Fields | undefined) ?? {},
      verifyEachStep: fields['verify'] === true || fields['verify'] === 'each_step',
      orders:
        typeof orders === 'number'
          ? { count: orders, seed: 1 }
          : orders !== null && typeof orders === 'object'
            ? {
                count: (orders as Fields)['count'] as number,
                seed: ((orders as Fields)['seed'] as number | undefined) ?? 1,
              }
            : { count: anyOrder ? 5 : 0, seed: 1 },
      steps,
      file: this.#yaml.file,
      locate: (path, part) => this.#yaml.at(path, part),
      path: this.#path,
    };
  }

  #error(code: string, message: string, path: YamlPath, hint?: string): void {
    const full = path[0] === 'scenarios' ? path : [...this.#path, ...path];
    this.#errors.push(mistake(code, message, this.#yaml.at(full, 'key'), hint));
  }

  #step(fields: Fields, number: number, path: YamlPath): Step {
    const has = (key: string): boolean => Object.hasOwn(fields, key);
    for (const { key, message, hint } of keyMistakes(fields, number)) {
      this.#error('SEG614', message, key === null ? path : [...path, key], hint);
    }
    return {
      number,
      name: (fields['name'] as string | undefined) ?? null,
      path,
      at: instant(fields['at']),
      advance: instant(fields['advance']),
      restart: has('kill') ? 'kill' : has('restart') ? 'restart' : null,
      seed: has('seed') ? this.#seed(fields, path) : null,
      run: (fields['run'] as true | string[] | undefined) ?? null,
      sql: has('sql')
        ? {
            sql: fields['sql'] as string,
            error: (fields['error'] as string | undefined) ?? null,
            path: [...path, 'sql'],
          }
        : null,
      ingest: has('ingest') ? this.#ingest(fields, number, path) : null,
      expect: this.#perModel(fields, 'expect', path, (...of) => this.#expect(...of)),
      changes: this.#perModel(fields, 'changes', path, (...of) => this.#changes(...of)),
      sinks: Object.entries((fields['expect_sink'] as Fields | undefined) ?? {}).map(([sink, of]) =>
        sinkStep(sink, of, [...path, 'expect_sink', sink]),
      ),
      verify: (fields['verify'] as boolean | string[] | undefined) ?? false,
    };
  }

  /** `expect: model` with its fields in the step, or `expect: {model: rows | {rows, where, ...}}`. */
  #perModel<T>(
    fields: Fields,
    key: 'expect' | 'changes',
    path: YamlPath,
    read: (model: string, of: Fields, path: YamlPath, bare: boolean) => T,
  ): T[] {
    const value = fields[key];
    if (value === undefined) return [];
    if (typeof value === 'string') return [read(value, fields, path, false)];
    return Object.entries(value as Fields).map(([model, of]) => {
      const at = [...path, key, model];
      const isFields = of !== null && typeof of === 'object' && !Array.isArray(of);
      return read(model, isFields ? of : { rows: of }, at, !isFields);
    });
  }

  /** @param bare the rows stand at `path` itself, not under a key */
  #rows(of: Fields, keys: readonly string[], path: YamlPath, bare = false): RowsSource | null {
    const format = of['format'] as RowsFormat | undefined;
    for (const key of keys) {
      if (!Object.hasOwn(of, key)) continue;
      if (key === 'file') return { kind: 'file', file: of[key] as string, format, path: [...path, key] };
      return { kind: 'inline', rows: of[key]!, format, path: bare ? path : [...path, key] };
    }
    return null;
  }

  #seed(fields: Fields, path: YamlPath): SeedStep {
    const short = typeof fields['expect'] === 'string' || typeof fields['changes'] === 'string';
    const keys = short ? ['records', 'file'] : ['records', 'rows', 'file'];
    return { seed: fields['seed'] as string, rows: this.#rows(fields, keys, path), path: [...path, 'seed'] };
  }

  #ingest(fields: Fields, number: number, path: YamlPath): IngestStep {
    const generate = fields['generate'] as JsonRow | undefined;
    const rows = this.#rows(fields, ['records', 'file'], path);
    if (rows === null && generate === undefined) {
      this.#error(
        'SEG614',
        `"ingest" of step ${number} has no records`,
        [...path, 'ingest'],
        'Give "records" (a list, CSV or NDJSON text), "file" or "generate".',
      );
    }
    if (rows !== null && generate !== undefined) {
      this.#error(
        'SEG614',
        `step ${number} has both records and "generate"`,
        [...path, 'generate'],
        'Use two steps.',
      );
    }
    const { stream, ...options } = generate ?? {};
    const source = fields['ingest'] as string;
    return {
      source,
      input: rows ?? {
        kind: 'generate',
        stream: typeof stream === 'string' ? stream : source.slice(source.lastIndexOf('.') + 1),
        options,
        path: [...path, 'generate'],
      },
      anyOrder: fields['any_order'] === true,
      accepted: (fields['accepted'] as number | undefined) ?? null,
      duplicate: (fields['duplicate'] as number | undefined) ?? null,
      rejected: (fields['rejected'] as IngestStep['rejected'] | undefined) ?? null,
      path: [...path, 'ingest'],
    };
  }

  #expect(model: string, of: Fields, path: YamlPath, bare: boolean): ExpectStep {
    const contains = of['contains'];
    const containsRows = contains !== undefined && typeof contains !== 'boolean';
    const rows = this.#rows(of, containsRows ? ['contains'] : ['rows', 'file'], path, bare);
    if (containsRows && (Object.hasOwn(of, 'rows') || Object.hasOwn(of, 'file'))) {
      this.#error(
        'SEG614',
        'rows stand both under "contains" and beside it',
        [...path, 'contains'],
        'Keep one of the two.',
      );
    }
    const count = (of['count'] as number | undefined) ?? null;
    if (rows === null && count === null) {
      this.#error(
        'SEG614',
        `nothing is expected of "${model}"`,
        path,
        'Give "rows" (a list of mappings, CSV or NDJSON text; [] for none), "contains", "file" or "count".',
      );
    }
    const list = (key: string): string[] | null =>
      of[key] === undefined ? null : ([of[key]].flat() as string[]);
    return {
      model,
      rows,
      contains: containsRows || contains === true,
      where: (of['where'] as string | JsonRow | undefined) ?? null,
      columns: list('columns'),
      ordered: list('ordered')?.join(', ') ?? null,
      count,
      key: list('key'),
      path,
    };
  }

  #changes(model: string, of: Fields, path: YamlPath, bare: boolean): ChangesStep {
    const { rows, contains, columns, count } = this.#expect(model, of, path, bare);
    for (const key of ['where', 'ordered', 'key']) {
      if (Object.hasOwn(of, key)) {
        this.#error(
          'SEG614',
          `"${key}" does not go with "changes"`,
          [...path, key],
          'Changes of one batch have no order; expect the model for this.',
        );
      }
    }
    return { model, rows, contains, columns, count, path };
  }
}

/** `name: bodies` or `name: {bodies, contains, count}`. */
function sinkStep(sink: string, of: JsonValue, path: YamlPath): SinkStep {
  const fields = Array.isArray(of) ? { bodies: of } : (of as Fields);
  return {
    sink,
    bodies: (fields['bodies'] as JsonValue[] | undefined) ?? null,
    contains: fields['contains'] === true,
    count: (fields['count'] as number | undefined) ?? null,
    path,
  };
}

function instant(value: JsonValue | undefined): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

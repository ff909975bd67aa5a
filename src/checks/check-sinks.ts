/** What is wrong with a sink before it sends: columns, fields of its body, variables of the environment. */
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { templateUse, type ValueShape } from '../jinja/field-access.ts';
import { OffsetSource } from '../jinja/template-source.ts';
import type { Project } from '../project/load.ts';
import type { SinkNode } from '../project/nodes.ts';
import { isTemplate, renderTree } from '../project/render-tree.ts';
import { recordTemplates } from '../project/schemas/sink-schemas.ts';
import { parseYaml } from '../project/yaml.ts';
import { queryColumns, type ColumnNames } from '../sql/query-columns.ts';
import { checkNames, type Known } from './check-rows.ts';
import { choiceHint, mistake } from './found.ts';
import type { ProjectColumns } from './project-columns.ts';

export function checkSinks(
  project: Project,
  { columns }: ProjectColumns,
  sinks: readonly SinkNode[],
): Diagnostic[] {
  return sinks.flatMap((sink) => {
    const check = new SinkCheck(project, sink, columns.get(sink.from));
    check.run();
    return check.found;
  });
}

type Path = readonly (string | number)[];

class SinkCheck {
  readonly found: Diagnostic[] = [];
  readonly #project: Project;
  readonly #sink: SinkNode;
  readonly #read: Known;
  readonly #at: (path: Path) => Location;

  constructor(project: Project, sink: SinkNode, columns: ColumnNames | undefined) {
    this.#project = project;
    this.#sink = sink;
    this.#read = { title: `sink "${sink.name}": what it reads`, columns };
    this.#at = placesOf(project, sink);
  }

  run(): void {
    const sink = this.#sink;
    this.#names(this.#read, sink.columns ?? [], ['columns']);
    this.#expression(sink.where, ['where']);
    for (const [field, sql] of Object.entries(sink.mapping ?? {})) this.#expression(sql, ['mapping', field]);
    const fields = fieldsOf(sink, this.#read.columns);
    const record: Known = { title: `a record of sink "${sink.name}"`, columns: fields };
    this.#names(record, sink.primary_key ?? [], ['primary_key']);
    const { group_by: group, partition_by: partitions } = sink.settings;
    if (isMapping(group)) {
      for (const key of ['column', 'collect']) {
        const name = group[key];
        if (typeof name === 'string' && !isTemplate(name))
          this.#names(record, [name], ['config', 'group_by', key]);
      }
    }
    if (Array.isArray(partitions)) {
      const names = partitions.filter(
        (name): name is string => typeof name === 'string' && !isTemplate(name),
      );
      this.#names(record, names, ['config', 'partition_by']);
    }
    for (const [key, value] of Object.entries(sink.settings)) {
      const values = recordTemplates.has(key) ? this.#values(record) : new Map<string, ValueShape>();
      this.#templates(value, values, ['config', key]);
    }
    if (sink.notify !== null) this.#templates(sink.notify.url, new Map(), ['notify', 'url']);
  }

  #names(known: Known, names: readonly string[], path: Path): void {
    const place = (name: string): Location =>
      this.#at(names.length === 1 ? path : [...path, names.indexOf(name)]);
    this.found.push(...checkNames(known, names, place));
  }

  /** SQL over the columns of what is read. */
  #expression(sql: string | null, path: Path): void {
    const { columns } = this.#read;
    if (sql === null || columns === undefined) return;
    const { unknown } = queryColumns(`SELECT (${sql}\n) FROM "r"`, (_, name) =>
      name === 'r' ? columns : undefined,
    );
    for (const { what, name, candidates } of unknown) {
      const hint = choiceHint(name, { kind: 'columns', names: candidates });
      this.found.push(
        mistake('SEG316', `${what} does not exist (sink "${this.#sink.name}")`, this.#at(path), hint),
      );
    }
  }

  /** Texts that are templates, anywhere in a setting. */
  #templates(value: JsonValue, values: ReadonlyMap<string, ValueShape>, path: Path): void {
    const { env } = this.#project.invocation;
    renderTree(
      value,
      (text, below) => {
        try {
          const source = new OffsetSource(this.#inQuotes([...path, ...below]), text);
          const use = templateUse(source, values);
          for (const { name, known, ...span } of use.unknownFields) {
            const hint = choiceHint(name, { kind: 'fields', names: known });
            const message = `unknown field "${name}" in the ${String(path[1])} of sink "${this.#sink.name}"`;
            this.found.push(mistake('SEG316', message, source.locate(span), hint));
          }
          for (const { name, ...span } of use.otherNames) {
            if (this.#isGlobal(name)) continue;
            const message = `undefined name "${name}" in the ${String(path[1])} of sink "${this.#sink.name}"`;
            this.found.push(mistake('SEG210', message, source.locate(span), didYouMean(name, values.keys())));
          }
          for (const { name, ...span } of use.variables) {
            if (env[name] !== undefined) continue;
            const message = `missing environment variable "${name}" (sink "${this.#sink.name}")`;
            const near = didYouMean(name, Object.keys(env));
            const remedy = `Set it, or give a default: env_var('${name}', 'value').`;
            this.found.push(
              mistake(
                'SEG230',
                message,
                source.locate(span),
                near === undefined ? remedy : `${near} ${remedy}`,
              ),
            );
          }
        } catch (error) {
          if (!(error instanceof SegError)) throw error;
          this.found.push(...error.diagnostics);
        }
        return text;
      },
      () => false,
    );
  }

  /** Where a text begins, behind its quotes if it has any. */
  #inQuotes(path: Path): Location {
    const at = this.#at(path);
    const line = this.#project.files.get(at.file)?.split('\n')[at.line - 1] ?? '';
    return /["']/.test(line[at.column - 1] ?? '') ? { ...at, column: at.column + 1 } : at;
  }

  /** Whether templates of the project know the name: a macro, `env_var`, `target`. */
  #isGlobal(name: string): boolean {
    const { file } = this.#sink.at;
    const { package_name: packageName } = this.#sink;
    return this.#project.renderTemplate(`{{ ${name} is defined }}`, { file, packageName }) === true;
  }

  /** The names that a body is rendered with (webhook.ts, slack.ts). */
  #values({ columns }: Known): ReadonlyMap<string, ValueShape> {
    const { primary_key: key, settings, type } = this.#sink;
    const row: ValueShape =
      columns === undefined || columns.open
        ? null
        : { fields: new Map(columns.names.map((name) => [name, null])) };
    const change = new Map<string, ValueShape>([
      ['op', null],
      ['key', key === null ? null : { fields: new Map(key.map((name) => [name, null])) }],
      ['row', row],
      ['before', row],
      ['record', row],
      ['position', null],
      ['at', null],
    ]);
    const common: [string, ValueShape][] = [
      ['sink', null],
      ['id', null],
      ['changes', { items: { fields: change } }],
    ];
    const single = type === 'slack' || settings['per'] === 'change';
    return new Map([...common, ...(single ? change : [])]);
  }
}

/** The fields of a record as it is sent. */
function fieldsOf({ mapping, columns }: SinkNode, read: ColumnNames | undefined): ColumnNames | undefined {
  if (mapping !== null) return { names: Object.keys(mapping), open: false };
  return columns === null ? read : { names: columns, open: false };
}

function placesOf(project: Project, sink: SinkNode): (path: Path) => Location {
  const { file, line, column } = sink.at;
  const text = project.files.get(file);
  if (text === undefined) return () => sink.at;
  const { yaml } = parseYaml(file, text);
  const list = isMapping(yaml.value) ? yaml.value['sinks'] : undefined;
  const index = (Array.isArray(list) ? list : []).findIndex((_, i) => {
    const at = yaml.at(['sinks', i, 'name']);
    return at.line === line && at.column === column;
  });
  return index < 0 ? () => sink.at : (path) => yaml.at(['sinks', index, ...path]);
}

function isMapping(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

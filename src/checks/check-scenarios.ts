/** What is wrong with a scenario before it runs: names of nodes and columns, intervals, instants. */
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Project } from '../project/load.ts';
import { intervalMistake } from '../sql/interval.ts';
import { parseScenarios } from '../testing/parse-scenario.ts';
import type { RowsSource, Scenario, Step, YamlPath } from '../testing/scenario.ts';
import { findNode, findSink, type NamedNode } from '../testing/find-node.ts';
import { loadText } from '../testing/load-rows.ts';
import { StepMistake } from '../testing/step-outcome.ts';
import { checkNames, checkRows, type Known } from './check-rows.ts';
import { mistake } from './found.ts';
import type { ProjectColumns } from './project-columns.ts';

/** Checks the scenarios of these files. */
export async function checkScenarioFiles(
  project: Project,
  { columns }: ProjectColumns,
  files: Iterable<string>,
): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const file of files) {
    const { scenarios, errors } = parseScenarios(file, project.files.get(file) ?? '');
    found.push(...errors);
    for (const scenario of scenarios) {
      const check = new ScenarioCheck(project, columns, scenario);
      await check.run();
      found.push(...check.found);
    }
  }
  return found;
}

const readable = ['model', 'seed', 'source', 'test'] as const;

class ScenarioCheck {
  readonly found: Diagnostic[] = [];
  readonly #project: Project;
  readonly #columns: ProjectColumns['columns'];
  readonly #scenario: Scenario;

  constructor(project: Project, columns: ProjectColumns['columns'], scenario: Scenario) {
    this.#project = project;
    this.#columns = columns;
    this.#scenario = scenario;
  }

  async run(): Promise<void> {
    const { at, path, steps } = this.#scenario;
    this.#instant(at, [...path, 'at']);
    for (const step of steps) await this.#step(step);
  }

  async #step(step: Step): Promise<void> {
    this.#instant(step.at, [...step.path, 'at']);
    if (step.advance !== null) {
      const wrong = intervalMistake(step.advance);
      if (wrong !== undefined) {
        this.#add(
          'SEG318',
          `invalid interval "${step.advance}": ${wrong.message}`,
          [...step.path, 'advance'],
          wrong.hint,
        );
      }
    }
    if (step.seed !== null) {
      const seed = this.#known(step.seed.seed, ['seed'], step.seed.path);
      if (seed !== undefined) await this.#rows(seed, step.seed.rows);
    }
    if (step.ingest !== null) {
      this.#known(step.ingest.source, ['source'], step.ingest.path);
      if (step.ingest.input.kind !== 'generate') await this.#text(step.ingest.input);
    }
    for (const expected of step.expect) {
      const model = this.#known(expected.model, readable, nameIn(step, expected.path, 'expect'));
      if (model === undefined) continue;
      await this.#rows(model, expected.rows);
      const where = expected.where !== null && typeof expected.where === 'object' ? expected.where : {};
      this.#names(model, Object.keys(where), [...expected.path, 'where']);
      this.#names(model, expected.columns ?? [], [...expected.path, 'columns']);
      this.#names(model, expected.key ?? [], [...expected.path, 'key']);
    }
    for (const changes of step.changes) {
      const model = this.#known(changes.model, readable, nameIn(step, changes.path, 'changes'));
      if (model === undefined) continue;
      await this.#rows(model, changes.rows, ['op', 'before']);
      this.#names(model, changes.columns ?? [], [...changes.path, 'columns']);
      const before =
        changes.rows?.kind === 'inline' && Array.isArray(changes.rows.rows) ? changes.rows.rows : [];
      for (const [index, row] of before.entries()) {
        const old = isMapping(row) ? row['before'] : undefined;
        if (isMapping(old)) this.#names(model, Object.keys(old), [...changes.rows!.path, index, 'before']);
      }
    }
    for (const { sink, path } of step.sinks) {
      try {
        findSink(this.#project, sink, path);
      } catch (error) {
        if (!(error instanceof StepMistake)) throw error;
        this.#add('SEG319', error.message, path, error.hint, 'key');
      }
    }
    for (const [index, name] of listOf(step.run).entries())
      this.#known(name, ['model'], [...step.path, 'run', index]);
    for (const [index, name] of listOf(step.verify).entries())
      this.#known(name, ['model', 'test'], [...step.path, 'verify', index]);
  }

  #known(name: string, types: readonly NamedNode['resource_type'][], path: YamlPath): Known | undefined {
    try {
      const node = findNode(this.#project, name, types);
      return { title: `${node.resource_type} "${node.name}"`, columns: this.#columns.get(node.unique_id) };
    } catch (error) {
      if (!(error instanceof StepMistake)) throw error;
      this.#add('SEG319', error.message, error.path ?? path, error.hint);
      return undefined;
    }
  }

  async #rows(known: Known, rows: RowsSource | null, others: readonly string[] = []): Promise<void> {
    if (rows === null) return;
    const loaded = await this.#text(rows);
    if (loaded === undefined) return;
    const [value, format] =
      loaded.kind === 'list' ? [loaded.rows as JsonValue, undefined] : [loaded.text, loaded.format];
    const { locate } = this.#scenario;
    this.found.push(
      ...checkRows(known, value, format, (below) => locate([...rows.path, ...below], 'key'), others),
    );
  }

  /** The rows' text; undefined when their file is away. */
  async #text(rows: RowsSource): Promise<Awaited<ReturnType<typeof loadText>> | undefined> {
    try {
      return await loadText(rows, this.#scenario, this.#project.root);
    } catch (error) {
      if (!(error instanceof StepMistake)) throw error;
      this.#add('SEG317', error.message, error.path ?? rows.path, error.hint);
      return undefined;
    }
  }

  #names(known: Known, names: readonly string[], path: YamlPath): void {
    const place = (name: string) => this.#scenario.locate([...path, name], 'key');
    const index = (name: string) => this.#scenario.locate([...path, names.indexOf(name)]);
    const isList = path.at(-1) === 'columns' || path.at(-1) === 'key';
    this.found.push(...checkNames(known, names, isList ? index : place));
  }

  /** Only what is certain: a text of letters that are none of PostgreSQL's words, a month 13, a day 31 of November. */
  #instant(text: string | null, path: YamlPath): void {
    if (text === null) return;
    const date = /^(\d{4})-(\d{2})-(\d{2})(?:$|[T ])/.exec(text);
    const words = ['now', 'today', 'tomorrow', 'yesterday', 'epoch', 'infinity', '-infinity'];
    const wrong = date === null ? !/\d/.test(text) && !words.includes(text.toLowerCase()) : !isDay(date);
    if (!wrong) return;
    this.#add(
      'SEG318',
      `invalid instant "${text}"`,
      path,
      'Write an instant such as "2024-05-01T09:00:00Z".',
    );
  }

  #add(code: string, message: string, path: YamlPath, hint?: string, part?: 'key'): void {
    this.found.push(mistake(code, message, this.#scenario.locate(path, part), hint));
  }
}

function isMapping(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isDay([, year, month, day]: RegExpExecArray): boolean {
  const made = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return made.getUTCMonth() === Number(month) - 1 && made.getUTCDate() === Number(day);
}

/** `expect: model`, with the rows beside it, or `expect: {model: rows}`. */
function nameIn(step: Step, path: YamlPath, key: string): YamlPath {
  return path === step.path ? [...path, key] : path;
}

function listOf(names: boolean | readonly string[] | null): readonly string[] {
  return typeof names === 'object' && names !== null ? names : [];
}

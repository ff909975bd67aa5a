/** The given rows of a unit test: read, checked against the input's columns, and put into a table of its own. */
import { parseJson, stringifyJson } from '../json/exact-json.ts';
import type { JsonRow, JsonValue } from '../changelog/change.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { DatabaseError, type Connection } from '../engines/connection.ts';
import type { RelationNode, SeedNode, UnitTestNode } from '../project/nodes.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import { parseYaml } from '../project/yaml.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { readRows, RowsMistake } from './rows-text.ts';
import { loadSeedRows } from './seed-rows.ts';
import { StepMistake } from './step-outcome.ts';
import type { TypeCatalog } from './type-catalog.ts';
import { castValues, namedColumns, type TypedRelation } from './typed-rows.ts';

export type Given = UnitTestNode['given'][number];

/** What an input names. */
export type GivenInput =
  { readonly kind: 'ref' | 'source'; readonly node: RelationNode } | { readonly kind: 'this' };

/** `ref('a')`, `ref('package', 'a')`, `source('s', 't')`, `this`. Throws a StepMistake. */
export function readInput(project: Project, input: string): GivenInput {
  if (input.trim() === 'this') return { kind: 'this' };
  const call = /^\s*(ref|source)\s*\(\s*(.*?)\s*\)\s*$/s.exec(input);
  const names = [...(call?.[2] ?? '').matchAll(/'([^']*)'|"([^"]*)"/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  if (
    call === null ||
    names.length === 0 ||
    names.length > 2 ||
    (call[1] === 'source' && names.length !== 2)
  ) {
    throw new StepMistake(`input "${input}" is none`, {
      hint: "Write ref('model'), source('source', 'table') or this.",
    });
  }
  const kind = call[1] as 'ref' | 'source';
  const relations = [...allNodes(project.manifest).values()].filter((node): node is RelationNode =>
    kind === 'source'
      ? node.resource_type === 'source'
      : node.resource_type === 'model' || node.resource_type === 'seed',
  );
  const node = relations.find((candidate) =>
    candidate.resource_type === 'source'
      ? candidate.source_name === names[0] && candidate.name === names[1]
      : candidate.name === names.at(-1) && (names.length === 1 || candidate.package_name === names[0]),
  );
  if (node !== undefined) return { kind, node };
  const known = relations.map((other) =>
    other.resource_type === 'source' ? `${other.source_name}.${other.name}` : other.name,
  );
  throw new StepMistake(`input ${input} is not in the project`, { hint: didYouMean(names.join('.'), known) });
}

/**
 * Whether an input is written without rows, which for a seed means the rows of its file. The node cannot tell: there it
 * has no rows either way.
 */
export function isWithoutRows(project: Project, test: UnitTestNode, index: number): boolean {
  const text = project.files.get(test.original_file_path);
  if (text === undefined) return false;
  const { value } = parseYaml(test.original_file_path, text).yaml;
  const tests = (value as { unit_tests?: JsonValue }).unit_tests;
  const own = (Array.isArray(tests) ? tests : []).find(
    (entry): entry is { [key: string]: JsonValue } =>
      entry !== null &&
      typeof entry === 'object' &&
      !Array.isArray(entry) &&
      entry['name'] === test.name &&
      entry['model'] === test.model,
  );
  const given = Array.isArray(own?.['given']) ? own['given'][index] : undefined;
  return given !== null && typeof given === 'object' && !('rows' in given) && !('fixture' in given);
}

/** Fills `table`, which is empty and has the columns of `relation`, with the given rows. */
export async function fillInput(
  db: Connection,
  table: TypedRelation,
  given: Pick<Given, 'rows' | 'format'>,
): Promise<void> {
  if (given.format === 'sql') {
    await fillFromSql(db, table, textOf(given.rows));
    return;
  }
  const rows = rowsOf(given.rows, given.format);
  if (rows.length === 0) return;
  const columns = namedColumns(table, rows);
  const values = rows.map((row) => jsonTexts(row, table));
  // First as a cast, which knows which value does not fit.
  await castValues(db, table, columns, values);
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  await db.query(
    `insert into ${table.sql} (${names}) select ${columns.map(({ name }) => `"cast".${quoteIdentifier(name)}`).join(', ')}
     from jsonb_array_elements($1::text::jsonb) with ordinality as "given"("record", "n"),
       lateral jsonb_populate_record(null::${table.sql}, "given"."record") as "cast" order by "given"."n"`,
    [stringifyJson(values)],
  );
}

export async function fillSeed(
  db: Connection,
  catalog: TypeCatalog,
  node: SeedNode,
  table: { schema: string; name: string },
): Promise<void> {
  const data = await catalog.seedData(node);
  await loadSeedRows(db, { ...node, schema: table.schema, alias: table.name }, data);
}

/** The query's columns go by name; what it leaves out is NULL. */
async function fillFromSql(db: Connection, table: TypedRelation, sql: string): Promise<void> {
  const query = sql.replace(/;\s*$/, '');
  try {
    const { fields } = await db.query(`select * from (\n${query}\n) "given" limit 0`);
    const names = fields.map(({ name }) => name);
    namedColumns(table, [Object.fromEntries(names.map((name) => [name, null]))]);
    const list = names.map(quoteIdentifier).join(', ');
    await db.exec(`insert into ${table.sql} (${list}) select ${list} from (\n${query}\n) "given"`);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new StepMistake(`the SQL of ${table.title} failed: ${error.message}`, { cause: error });
  }
}

export function rowsOf(rows: JsonValue, format: 'dict' | 'csv' | 'sql'): JsonRow[] {
  try {
    return readRows(rows, typeof rows === 'string' && format === 'csv' ? 'csv' : undefined);
  } catch (error) {
    if (error instanceof RowsMistake) throw new StepMistake(error.message, { cause: error });
    throw error;
  }
}

export function textOf(rows: JsonValue): string {
  if (typeof rows === 'string') return rows;
  throw new StepMistake('rows of format sql must be the text of a query');
}

/** JSON documents may be written as text, as in CSV. */
function jsonTexts(row: JsonRow, table: TypedRelation): JsonRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const type = table.columns.find((column) => column.name === name)?.type ?? '';
      if (typeof value !== 'string' || !/^jsonb?$/.test(type) || !/^\s*[[{]/.test(value))
        return [name, value];
      try {
        return [name, parseJson(value)];
      } catch {
        return [name, value];
      }
    }),
  );
}

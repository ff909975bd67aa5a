import { stringifyJson } from '../../json/exact-json.ts';
import type { CommandHandler } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { rejectedTable } from '../../deploy/ddl.ts';
import { placeError } from '../../deploy/place-error.ts';
import { stateSchemaOf } from '../../deploy/spec.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import type { SourceMap } from '../../diagnostics/source-map.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import type { Connection } from '../../engines/connection.ts';
import type { Project } from '../../project/load.ts';
import { allNodes } from '../../project/manifest.ts';
import type { GraphNode } from '../../project/nodes.ts';
import { quoteRelation } from '../../sql/quote.ts';
import { readDeployed } from '../../state/nodes.ts';
import { findSource } from '../find-node.ts';
import type { FlagValues } from '../flag-values.ts';
import { openProject } from '../open-project.ts';
import { printRelation } from '../print-relation.ts';
import { selectGraphNodes } from '../selection.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import { jsonRow } from '../../streaming/json-row.ts';
import { NodeStore } from '../../streaming/stored-node.ts';
import { withDatabase } from '../with-database.ts';

/** What is shown: a query, and how to find a place of its text in the project. */
export interface Shown {
  /** `model "x"`, for messages. */
  readonly label: string;
  /** null for `--inline`. */
  readonly name: string | null;
  readonly sql: string;
  readonly map: SourceMap | null;
  readonly at: Location;
  /** The engine cannot write rows as JSON itself. */
  readonly plainRows?: boolean;
}

/** What diagnostics call the text of `--inline`. */
const INLINE = '<inline>';

/** `seg show`: the first rows of nodes or of a query. */
export const show: CommandHandler = async (context) => {
  const { flags } = context;
  const inline = flags.string('inline');
  if (inline === undefined && flags.list('select').length === 0 && !flags.given('selector')) {
    throw segError('SEG906', 'nothing to show', {
      hint: 'Name a node (`seg show my_model`), or give a query with --inline.',
    });
  }
  const project = await openProject(context, { writeManifest: false });
  if (inline !== undefined) {
    context.sources.use(project.root, new Map([...project.files, [INLINE, inline]]));
    const { text, map, dependsOn } = project.renderInline(inline, INLINE);
    await withDatabase(context, project, async (db) => {
      const at = { file: INLINE, line: 1, column: 1 };
      checkParents(project, await deployedDefinitions(db, project), 'the inline query', dependsOn, at);
      await preview(context, db, {
        label: 'the inline query',
        name: null,
        sql: text,
        map,
        at,
        plainRows: dialectOf(project.target) !== undefined,
      });
    });
    return 0;
  }
  const types = ['model', 'seed', 'source', 'test'];
  const { letters, rest } = rejectedOf(project, flags);
  const nodes =
    letters.length > 0 && rest.list('select').length === 0
      ? []
      : selectGraphNodes({ ...context, flags: rest }, project, types, { indirectSelection: 'empty' });
  if (nodes.length === 0 && letters.length === 0) return 0;
  await withDatabase(context, project, async (db) => {
    const plainRows = dialectOf(project.target) !== undefined;
    for (const shown of [...(await queriesOf(db, project, nodes)), ...letters])
      await preview(context, db, { ...shown, plainRows });
  });
  return 0;
};

/** `orders__rejected`, which is no node: the records that a source has refused. */
function rejectedOf(project: Project, flags: FlagValues): { letters: Shown[]; rest: FlagValues } {
  const known = new Set([...allNodes(project.manifest).values()].map(({ name }) => name));
  const words = flags.list('select');
  const letters = words.flatMap((word): Shown[] => {
    const of = /^(.+)__rejected$/.exec(word)?.[1];
    if (of === undefined || known.has(word)) return [];
    const source = findSource(project, of);
    const relation = quoteRelation(rejectedTable({ schema: source.schema, relation: source.identifier }));
    const label = `the rejected records of source "${source.name}"`;
    return [{ label, name: word, sql: `select * from ${relation}`, map: null, at: source.at }];
  });
  const shown = new Set(letters.map(({ name }) => name));
  return {
    letters,
    rest: flags.replace(
      'select',
      words.filter((word) => !shown.has(word)),
    ),
  };
}

/**
 * A model that is deployed as it stands in the project is read from its relation, which is up to date and cheap;
 * otherwise, as in dbt, its compiled query runs. Throws SEG910 for a seed or source that is not there, or for one that the
 * query reads.
 */
export async function queriesOf(
  db: Connection,
  project: Project,
  nodes: readonly GraphNode[],
): Promise<Shown[]> {
  const deployed = await deployedDefinitions(db, project);
  return nodes.flatMap((node): Shown[] => {
    const label = `${node.resource_type} "${node.name}"`;
    const there = deployed.get(node.unique_id);
    if (node.resource_type === 'seed' || node.resource_type === 'source') {
      const foreign = node.resource_type === 'source' && node.config.existing;
      if (there === undefined && !foreign) {
        throw segError('SEG910', `${label} is not in the database`, {
          hint:
            node.resource_type === 'seed'
              ? 'Run "seg seed" first.'
              : 'Run "seg run" first; it makes the tables of sources.',
          exitCode: 1,
        });
      }
      return [{ label, name: node.name, sql: `select * from ${node.relation_name}`, map: null, at: node.at }];
    }
    if (!('compiled_code' in node) || node.compiled_code === null) return [];
    if (there?.definition === node.compiled_code && node.relation_name !== null) {
      return [{ label, name: node.name, sql: `select * from ${node.relation_name}`, map: null, at: node.at }];
    }
    checkParents(project, deployed, label, node.depends_on.nodes, node.at);
    return [
      {
        label,
        name: node.name,
        sql: node.compiled_code,
        map: project.sourceMaps.get(node.unique_id) ?? null,
        at: node.at,
      },
    ];
  });
}

/** Throws SEG910 when something that a query reads is not deployed: PostgreSQL would only say that there is no such table. */
function checkParents(
  project: Project,
  deployed: ReadonlyMap<string, unknown>,
  label: string,
  parents: readonly string[],
  at: Location,
): void {
  const nodes = allNodes(project.manifest);
  const missing = parents.flatMap((id): string[] => {
    const node = nodes.get(id);
    if (node === undefined || deployed.has(id) || !('relation_name' in node)) return [];
    if (node.resource_type === 'source' && node.config.existing) return [];
    // An ephemeral model stands in the query itself; what it reads must be there.
    if (node.relation_name !== null) return [`${node.resource_type} "${node.name}"`];
    checkParents(project, deployed, label, node.depends_on.nodes, at);
    return [];
  });
  if (missing.length === 0) return;
  throw segError('SEG910', `${label} reads ${missing.join(', ')}, not deployed yet`, {
    at,
    hint: 'Run "seg build" first, or "seg run" with "seg seed".',
    exitCode: 1,
  });
}

/** The compiled SQL of what is deployed, by unique_id; null for tables. */
async function deployedDefinitions(
  db: Connection,
  project: Project,
): Promise<ReadonlyMap<string, { readonly definition: string | null }>> {
  const dialect = dialectOf(project.target);
  if (dialect === undefined) return readDeployed(db, stateSchemaOf(project));
  const store = new NodeStore(db, dialect, stateSchemaOf(project));
  if (dialect.flush !== null) await db.exec(dialect.flush);
  return store.read();
}

/** Prints the first rows of a query in the form the flags ask for. */
export async function preview(context: CommandContext, db: Connection, shown: Shown): Promise<void> {
  const { flags, log } = context;
  const { name } = shown;
  const form = flags.has('output') ? flags.string('output') : 'table';
  const limit = flags.has('limit') ? flags.integer('limit')! : 5;
  const asJson = form === 'json' && shown.plainRows !== true;
  const { head, sql, tail } = limited(shown.sql, limit, asJson);
  const { rows, fields } = await db
    .query<Record<string, unknown>>(head + sql + tail)
    .catch((error: unknown) => {
      throw placeError(error, {
        label: shown.label,
        statement: head + sql + tail,
        queryOffset: head.length,
        queryLength: sql.length,
        sourceMap: shown.map,
        at: shown.at,
      });
    });
  if (form === 'json') {
    // Exact numbers are kept by leaving the row as the text PostgreSQL has made of it.
    const list = rows
      .map((row) => `    ${asJson ? String(row['row'] as string) : stringifyJson(jsonRow(row, fields))}`)
      .join(',\n');
    const title = name === null ? '' : `  "node": ${JSON.stringify(name)},\n`;
    await context.writeOut(`{\n${title}  "show": [${list === '' ? '' : `\n${list}\n  `}]\n}\n`);
    return;
  }
  const title = name === null ? 'Previewing inline node:' : `Previewing node '${name}':`;
  log.info(title, { name: 'ShowNode', code: 'Q041' });
  const columns = fields.map((field) => field.name);
  const relation = { columns, rows: rows.map((row) => columns.map((column) => row[column])) };
  await printRelation(context, relation, form === 'csv' ? 'csv' : 'table');
}

/** A query with a limit around it. The query stands on lines of its own, because it may end in a comment. */
function limited(query: string, limit: number, json: boolean): { head: string; sql: string; tail: string } {
  const sql = query.replace(/[\s;]+$/, '');
  const rows = limit < 0 ? '' : `limit ${limit}`;
  if (json) {
    return {
      head: 'select row_to_json(seg_rows)::text as "row" from (select * from (\n',
      sql,
      tail: `\n) as seg_query ${rows}) as seg_rows`,
    };
  }
  return { head: 'select * from (\n', sql, tail: `\n) as seg_query ${rows}` };
}

import type { CommandHandler, ExitStatus } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { dropRejected, readRejected, replayRejected, summarizeRejected } from '../../connectors/rejected.ts';
import type { RejectedFilter } from '../../connectors/rejected.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import type { Connection } from '../../engines/connection.ts';
import { stringifyJson } from '../../json/exact-json.ts';
import type { SourceNode } from '../../project/nodes.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import { openProject } from '../open-project.ts';
import { printRelation } from '../print-relation.ts';
import { grouped } from '../progress.ts';
import { selectGraphNodes } from '../selection.ts';
import { withDatabase, withSharedDatabase } from '../with-database.ts';

const ACTIONS = ['list', 'show', 'replay', 'drop'] as const;
type Action = (typeof ACTIONS)[number];

/** How many `show` shows. */
const SHOWN = 20;

/** `seg rejected ACTION [SOURCE...]`: the records that sources have refused. */
export const rejected: CommandHandler = async (context) => {
  const [word = 'list', ...names] = context.args;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    throw segError('SEG903', `unknown action "${word}" of rejected`, {
      hint: didYouMean(word, ACTIONS) ?? `There are ${ACTIONS.join(', ')}.`,
    });
  }
  const project = await openProject(context, { writeManifest: false });
  const dialect = dialectOf(project.target);
  if (dialect !== undefined) {
    throw segError('SEG525', `rejected records cannot be worked on where ${dialect.title} holds them`, {
      hint:
        'It has no transaction that takes a record from one table and puts it into another. "seg show NAME__rejected" shows ' +
        'them; ingest them again from where they came.',
    });
  }
  const known = Object.values(project.manifest.sources);
  const flags = context.flags.with(
    'select',
    names.map((name) => criterion(known, name)),
  );
  if (
    (action === 'drop' || action === 'replay') &&
    flags.list('select').length === 0 &&
    !flags.given('selector')
  ) {
    throw segError('SEG906', `nothing to ${action}`, {
      hint: `Name the sources (\`seg rejected ${action} orders\`), or say --select 'source:*'.`,
    });
  }
  const sources = selectGraphNodes({ ...context, flags }, project, ['source'], {
    indirectSelection: 'empty',
  }) as SourceNode[];
  if (sources.length === 0) return 0;
  const filter: RejectedFilter = {
    since: flags.string('since'),
    until: flags.string('until'),
    reason: flags.string('reason'),
    origin: flags.string('origin'),
    limit: (flags.integer('limit') ?? -1) < 0 ? undefined : flags.integer('limit'),
  };
  const open = action === 'replay' ? withSharedDatabase : withDatabase;
  return open(context, project, (db) => WORK[action](context, db, sources, filter));
};

/** A source by its name, as `seg ingest` takes it; any other word is one of the selection. */
function criterion(sources: readonly SourceNode[], word: string): string {
  const found = sources.find((each) => word === each.name || word === nameOf(each));
  return found === undefined ? word : `source:${nameOf(found)}`;
}

function nameOf({ source_name, name }: SourceNode): string {
  return `${source_name}.${name}`;
}

type Work = (
  context: CommandContext,
  db: Connection,
  sources: readonly SourceNode[],
  filter: RejectedFilter,
) => Promise<ExitStatus>;

const list: Work = async (context, db, sources, filter) => {
  const found = [];
  for (const source of sources) {
    const summary = await summarizeRejected(db, source, filter);
    if (summary !== null) found.push({ source: nameOf(source), ...summary });
  }
  const columns = ['source', 'rejected', 'oldest', 'newest', 'most_frequent_reason'];
  const rows = found.map((each) => [each.source, each.count, each.oldest, each.newest, each.reason]);
  await print(context, columns, rows, { sources: found });
  return 0;
};

const show: Work = async (context, db, sources, filter) => {
  // As for `seg show`, -1 asks for all.
  const most = filter.limit ?? (context.flags.given('limit') ? Infinity : SHOWN);
  const found = [];
  for (const source of sources) {
    const left = most - found.length;
    if (left <= 0) break;
    if (sources.length > 1 && (await summarizeRejected(db, source, filter)) === null) continue;
    const some = await readRejected(db, source, { ...filter, limit: left === Infinity ? undefined : left });
    found.push(...some.map((each) => ({ source: nameOf(source), ...each })));
  }
  const columns = ['source', 'rejected_at', 'origin', 'line', 'reason', 'payload'] as const;
  const rows = found.map((each) => columns.map((column) => each[column]));
  await print(context, columns, rows, { rejected: found });
  return 0;
};

const replay: Work = async (context, db, sources, filter) => {
  const { flags, log, signal } = context;
  const header = flags.given('header')
    ? flags.list('header').flatMap((names) => names.split(','))
    : undefined;
  const done = [];
  for (const source of sources) {
    if (sources.length > 1 && (await summarizeRejected(db, source, filter)) === null) continue;
    const counts = await replayRejected(db, source, filter, { header, signal });
    done.push({ source: nameOf(source), ...counts });
    log.info(
      `Replayed rejected records of ${nameOf(source)}: ${grouped(counts.accepted)} accepted, ${grouped(counts.duplicate)} duplicate, ${grouped(counts.rejected)} still rejected`,
      { name: 'ReplaySummary', data: { source: source.unique_id, ...counts } },
    );
  }
  const columns = ['source', 'accepted', 'duplicate', 'rejected'] as const;
  const rows = done.map((each) => columns.map((column) => each[column]));
  await print(context, columns, rows, { replayed: done });
  if (signal.aborted) return 2;
  return flags.boolean('strict') && done.some((each) => each.rejected > 0) ? 1 : 0;
};

const drop: Work = async (context, db, sources, filter) => {
  const done = [];
  for (const source of sources) {
    if (sources.length > 1 && (await summarizeRejected(db, source, filter)) === null) continue;
    const dropped = await dropRejected(db, source, filter);
    done.push({ source: nameOf(source), dropped });
    context.log.info(`Dropped ${grouped(dropped)} rejected records of ${nameOf(source)}`);
  }
  const rows = done.map(({ source, dropped }) => [source, dropped]);
  await print(context, ['source', 'dropped'], rows, { dropped: done });
  return 0;
};

const WORK: Record<Action, Work> = { list, show, replay, drop };

async function print(
  context: CommandContext,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  json: object,
): Promise<void> {
  const form = context.flags.string('output');
  if (form === 'json')
    await context.writeOut(`${stringifyJson(json as Parameters<typeof stringifyJson>[0])}\n`);
  else await printRelation(context, { columns, rows }, form === 'csv' ? 'csv' : 'table');
}

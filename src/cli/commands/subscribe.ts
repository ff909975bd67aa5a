import type { CommandHandler } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { dataDirectory, isMemory } from '../../engines/registry.ts';
import { followDirectory } from '../../feeds/follow.ts';
import type { FollowOptions } from '../../feeds/follow.ts';
import type { FeedItem } from '../../feeds/hub.ts';
import type { Project } from '../../project/load.ts';
import { findFollowable } from '../find-node.ts';
import { feedPrinter } from '../feed-printer.ts';
import type { FeedForm } from '../feed-printer.ts';
import { openProject } from '../open-project.ts';
import { watchReader } from '../reader-gone.ts';

/**
 * `seg subscribe MODEL`: a snapshot, then each change; as NDJSON one JSON object a line:
 *
 *     {"position":"e00000000002a","op":"snapshot","row":{...}}
 *     {"position":"e00000000002b","at":"2024-01-01T00:00:00Z","op":"update","key":{...},"row":{...},"before":{...}}
 *
 * Lines of one position are one step. The last line of a snapshot or step bears `"last": true`; a reader that stores
 * that position goes on with `--from` and misses nothing. An empty snapshot is one line without a row.
 */
export const subscribe: CommandHandler = async (context) => {
  const { flags, signal } = context;
  const from = flags.string('from');
  if (from !== undefined && flags.given('snapshot') && flags.boolean('snapshot')) {
    throw segError('SEG904', '--from excludes --snapshot', {
      hint: 'A position goes on from where a reader stood.',
    });
  }
  const project = await openProject(context, { writeManifest: false });
  const model = findFollowable(project, context.args[0] ?? '');
  if (isMemory(project.target)) {
    throw segError('SEG908', `target "${project.target.name}" lives in memory and ends with its command`, {
      hint: 'Nothing can be followed there; choose a target with a data directory.',
    });
  }
  const gone = new AbortController();
  const options: FollowOptions = {
    from,
    until: flags.string('until'),
    skipSnapshot: !flags.boolean('snapshot'),
    once: !flags.boolean('follow'),
    where: flags.string('where'),
    columns: flags.given('columns') ? flags.list('columns').flatMap((names) => names.split(',')) : undefined,
    signal: AbortSignal.any([signal, gone.signal]),
  };
  const print = feedPrinter(context, flags.string('output') as FeedForm);
  const stopWatching = context.outIsTerminal ? () => {} : watchReader(() => gone.abort());
  try {
    for await (const item of follow(context, project, model.unique_id, options)) await print(item);
  } finally {
    stopWatching();
  }
  return 0;
};

async function* follow(
  context: CommandContext,
  project: Project,
  model: string,
  options: FollowOptions,
): AsyncGenerator<FeedItem> {
  const { target, root } = project;
  const opening = { root, command: `seg ${context.command}` };
  if (target.type === 'risingwave' || target.type === 'materialize') {
    const { openStreaming } = await import('../../engines/streaming/open.ts');
    const { followStreaming } = await import('../../streaming/follow.ts');
    if (options.where !== undefined || options.columns !== undefined) {
      throw segError('SEG713', `feeds of ${target.type} have no --where and no --columns`, {
        hint: 'Write a model that has the rows and columns, and follow that.',
      });
    }
    const db = await openStreaming(target, opening);
    try {
      yield* followStreaming(db, project, model, options);
    } finally {
      await db.close();
    }
    return;
  }
  if (target.type !== 'postgres') {
    yield* followDirectory(dataDirectory(target, root), project, model, options);
    return;
  }
  const { openPostgres } = await import('../../engines/postgres/open.ts');
  const { followServer } = await import('../../feeds/follow-server.ts');
  const db = await openPostgres(target, opening);
  try {
    yield* followServer(db, project, model, options);
  } finally {
    await db.close();
  }
}

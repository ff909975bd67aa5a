import type { CommandHandler } from '../command-definition.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { isMemory } from '../../engines/registry.ts';
import type { FollowOptions } from '../../feeds/follow.ts';
import { findFollowable } from '../find-node.ts';
import { followInline, followTarget } from '../follow-target.ts';
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
  const inline = flags.string('inline');
  const [name] = context.args;
  if ((name === undefined) === (inline === undefined)) {
    throw segError('SEG930', name === undefined ? 'nothing to follow' : '--inline excludes a model', {
      hint: 'Name a model (`seg subscribe my_model`), or give a query with --inline.',
    });
  }
  const model = name === undefined ? undefined : findFollowable(project, name).unique_id;
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
    const items =
      model === undefined
        ? followInline(context, project, inline!, options)
        : followTarget(context, project, model, options);
    for await (const item of items) await print(item);
  } finally {
    stopWatching();
  }
  return 0;
};

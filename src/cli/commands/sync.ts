import { stringifyJson } from '../../json/exact-json.ts';
import type { CommandHandler, ExitStatus } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { segError, SegError } from '../../diagnostics/seg-error.ts';
import type { Connection } from '../../engines/connection.ts';
import type { Project } from '../../project/load.ts';
import type { SinkNode } from '../../project/nodes.ts';
import type { SinkEvent, SinkSummary } from '../../sinks/events.ts';
import { readOwner } from '../../engines/pglite/lock.ts';
import type { LockOwner } from '../../engines/pglite/lock.ts';
import { findServer, SERVER_COMMAND } from '../../engines/pglite/served.ts';
import { dataDirectory, isMemory } from '../../engines/registry.ts';
import type { SinkPreview } from '../../sinks/preview.ts';
import type { RunSinksOptions } from '../../sinks/run-sinks.ts';
import { openProject } from '../open-project.ts';
import { printRelation } from '../print-relation.ts';
import { grouped } from '../progress.ts';
import { selectGraphNodes } from '../selection.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import { withDatabase, withSharedDatabase } from '../with-database.ts';
import { replicaListener, withOutbox, withReplica } from '../with-replica.ts';

/** `seg sync`: sends what has changed to the selected sinks; `seg sync status` shows how they are and were. */
export const sync: CommandHandler = async (context) => {
  const { flags } = context;
  if (flags.boolean('once') && flags.boolean('follow')) {
    throw segError('SEG904', '--once excludes --follow', { hint: 'Leave one of them out.' });
  }
  const words = flags.list('select');
  const asksStatus = words[0] === 'status';
  const asked: CommandContext = asksStatus
    ? { ...context, flags: flags.without('select', 'status') }
    : context;
  const project = await openProject(context, { writeManifest: false });
  const sinks = selectGraphNodes(asked, project, ['sink'], { indirectSelection: 'empty' }) as SinkNode[];
  if (sinks.length === 0) return 0;
  if (dialectOf(project.target) !== undefined) return onStreaming(asked, project, sinks, asksStatus);
  if (asksStatus) return withDatabase(context, project, (db) => showStatus(context, project, db, sinks));
  if (flags.boolean('drop-rejected'))
    return withDatabase(context, project, (db) => drop(context, project, db, sinks));
  if (flags.boolean('dry-run'))
    return withDatabase(context, project, (db) => preview(context, project, db, sinks));
  // A server runs the sinks itself: a second runner would send what is on its way once more, so it is asked to.
  const owner = await serverOf(project);
  if (owner !== undefined) return runThroughServer(context, owner, sinks);
  return withSharedDatabase(context, project, (db) => run(context, project, db, sinks), { alone: true });
};

/** The same on a copy of what the sinks read, which the engine's feeds keep up to date. */
async function onStreaming(
  context: CommandContext,
  project: Project,
  sinks: readonly SinkNode[],
  asksStatus: boolean,
): Promise<ExitStatus> {
  const { flags } = context;
  if (asksStatus) return withOutbox(context, project, (db, copy) => showStatus(context, copy, db, sinks));
  if (flags.boolean('drop-rejected'))
    return withOutbox(context, project, (db, copy) => drop(context, copy, db, sinks));
  const { replicaTarget } = await import('../../streaming/replica/replica.ts');
  if (!flags.boolean('dry-run')) {
    const owner = await serverOf({ ...project, target: replicaTarget(project) });
    if (owner !== undefined) return runThroughServer(context, owner, sinks);
  }
  const read = [...new Set(sinks.map(({ from }) => from))];
  return withReplica(context, project, read, async (db, replica) => {
    const listeners = new Set<() => void>();
    const onApplied = (): void => listeners.forEach((listener) => listener());
    const options = { ...replicaListener(context), onApplied };
    await replica.catchUp({ ...options, signal: context.signal });
    if (context.signal.aborted) return 2;
    if (flags.boolean('dry-run')) return preview(context, replica.project, db, sinks);
    if (!flags.boolean('follow')) return run(context, replica.project, db, sinks);
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const changed = (listener: () => void): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    // Whichever ends first ends the other: sinks without feeds would send nothing any more and not say so.
    const feeds = replica.follow({ ...options, signal }).finally(() => stop.abort());
    // Awaited below; until then its failure must not end the process.
    feeds.catch(() => {});
    const status = await run(context, replica.project, db, sinks, { signal, changed }).finally(() =>
      stop.abort(),
    );
    await feeds;
    return status;
  });
}

async function run(
  context: CommandContext,
  project: Project,
  db: Connection,
  sinks: readonly SinkNode[],
  more: Partial<Pick<RunSinksOptions, 'signal' | 'changed'>> = {},
): Promise<ExitStatus> {
  const { flags } = context;
  const signal = more.signal ?? context.signal;
  const { runSinks } = await import('../../sinks/run-sinks.ts');
  const summaries = await runSinks(db, project, {
    select: new Set(sinks.map(({ unique_id }) => unique_id)),
    signal,
    follow: flags.boolean('follow'),
    fullResync: flags.boolean('full-resync'),
    confirm: flags.boolean('confirm'),
    onlyRejected: flags.boolean('retry-rejected'),
    invocationId: context.invocationId,
    writeOut: context.writeOut,
    ...(more.changed === undefined ? {} : { changed: more.changed }),
    onEvent: await reporter(context),
  });
  return statusOf(context, summaries);
}

/** Where the server that holds the project's database is asked; undefined when none holds it. */
async function serverOf(project: Pick<Project, 'target' | 'root'>): Promise<LockOwner['address']> {
  if (project.target.type !== 'pglite' || isMemory(project.target)) return undefined;
  const directory = dataDirectory(project.target, project.root);
  // Waits for one that is starting.
  await findServer(directory);
  const owner = await readOwner(directory);
  return owner?.command === SERVER_COMMAND ? owner.address : undefined;
}

async function runThroughServer(
  context: CommandContext,
  address: NonNullable<LockOwner['address']>,
  sinks: readonly SinkNode[],
): Promise<ExitStatus> {
  const { flags, signal, writeOut, log } = context;
  const { syncThroughOwner } = await import('../../sinks/remote-sync.ts');
  log.debug('The server runs the sinks');
  const request = {
    sinks: sinks.map(({ unique_id }) => unique_id),
    follow: flags.boolean('follow'),
    fullResync: flags.boolean('full-resync'),
    confirm: flags.boolean('confirm'),
    onlyRejected: flags.boolean('retry-rejected'),
  };
  const onEvent = await reporter(context);
  return statusOf(context, await syncThroughOwner(address, request, { signal, onEvent, writeOut }));
}

function statusOf({ flags }: CommandContext, summaries: readonly SinkSummary[]): ExitStatus {
  const mistakes = summaries.flatMap(({ diagnostics }) => diagnostics ?? []);
  if (mistakes.length > 0) throw new SegError(mistakes, { exitCode: 1 });
  if (summaries.some(({ status }) => status === 'interrupted')) return 2;
  const rejected = flags.boolean('strict') && summaries.some((summary) => summary.rejected > 0);
  return rejected || summaries.some(({ status }) => status !== 'ok') ? 1 : 0;
}

/** Notices as they happen; deliveries only when debugging, they are many. */
async function reporter(context: CommandContext): Promise<(event: SinkEvent) => void> {
  const { sentence } = await import('../../sinks/notices.ts');
  const { log } = context;
  let refusals = 0;
  return (event) => {
    switch (event.kind) {
      case 'state':
      case 'gap': {
        const text = sentence(event);
        const line = `${text[0]!.toUpperCase()}${text.slice(1)}`;
        if (event.kind === 'state' && event.state === 'ok')
          log.info(line, { name: 'SinkState', data: { ...event } });
        else log.warn(line, { name: 'SinkState', data: { ...event } });
        return;
      }
      case 'rejected':
        refusals++;
        if (refusals <= 5) log.warn(`${event.sink}: rejected ${event.key}: ${event.reason}`);
        else if (refusals === 6) log.warn('more rejected records are not shown; they are in sink_rejections');
        return;
      case 'retry':
        log.debug(
          `${event.sink}: ${event.reason}; attempt ${event.attempt + 1} in ${Math.round(event.delayMs)} ms`,
        );
        return;
      case 'delivered':
        log.debug(`${event.sink}: ${event.records} records in ${Math.round(event.ms)} ms`);
        return;
      case 'end':
        log.info(summaryLine(event.summary), { name: 'SinkSummary', data: { ...event.summary } });
    }
  };
}

function summaryLine({ sink, status, message, sent, unchanged, rejected, retries }: SinkSummary): string {
  const parts = [
    `${grouped(sent)} sent`,
    ...(unchanged > 0 ? [`${grouped(unchanged)} unchanged`] : []),
    ...(rejected > 0 ? [`${grouped(rejected)} rejected`] : []),
    ...(retries > 0 ? [`${grouped(retries)} retries`] : []),
  ];
  const said = status === 'ok' ? '' : ` [${status.toUpperCase()}${message === null ? '' : ` ${message}`}]`;
  const hint = status === 'held' ? '; look with --dry-run, let it go with --confirm' : '';
  return `Sink ${sink}: ${parts.join(', ')}${said}${hint}`;
}

async function preview(
  context: CommandContext,
  project: Project,
  db: Connection,
  sinks: readonly SinkNode[],
): Promise<ExitStatus> {
  const { flags, log } = context;
  const { previewSink } = await import('../../sinks/preview.ts');
  const previews = [];
  for (const sink of sinks) {
    previews.push(await previewSink(db, project, sink, { fullResync: flags.boolean('full-resync') }));
  }
  if (flags.string('output') === 'json') {
    for (const each of previews)
      await context.writeOut(
        `${stringifyJson({ ...each, sends: each.sends.map((send) => ({ ...send })) })}\n`,
      );
    return 0;
  }
  const columns = ['sink', 'adds', 'changes', 'removes', 'unchanged'];
  const rows = previews.map((each) => [each.sink, each.adds, each.changes, each.removes, each.unchanged]);
  await print(context, columns, rows);
  const signs = { insert: '+', update: '~', delete: '-' } as const;
  for (const { sink, held, samples, sends } of previews) {
    if (held !== null) log.warn(`Sink ${sink} would be held by its guard: ${held}`);
    if (flags.string('output') !== 'table') continue;
    for (const { op, record } of samples) {
      await context.writeOut(`${signs[op]} ${sink} ${stringifyJson(record)}\n`);
    }
    for (const each of sends) await context.writeOut(sendText(sink, each));
  }
  return 0;
}

/** A request, message, file or statement: where it goes, and below it, indented, what it is. */
function sendText(sink: string, send: SinkPreview['sends'][number]): string {
  if ('error' in send) return `! ${sink} ${send.error}\n`;
  const lines = [
    ...Object.entries(send.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(send.key === undefined ? [] : [`key: ${send.key}`]),
    ...(send.body === null ? ['(no value)'] : send.body.trimEnd().split('\n')),
    ...(send.parameters ?? []).map((value, index) => `$${index + 1} = ${value}`),
  ];
  return `> ${sink} ${send.to}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

async function showStatus(
  context: CommandContext,
  project: Project,
  db: Connection,
  sinks: readonly SinkNode[],
): Promise<ExitStatus> {
  const { flags } = context;
  const { readRejections, readSinkRuns, readSinkStatus } = await import('../../sinks/status.ts');
  const names = new Set(sinks.map(({ name }) => name));
  const states = (await readSinkStatus(db, project)).filter(({ sink }) => names.has(sink));
  const runs = await readSinkRuns(db, project, { sinks: names, limit: flags.integer('limit') ?? 10 });
  const rejections = await readRejections(db, project, { sinks: names, limit: flags.integer('limit') ?? 10 });
  if (flags.string('output') === 'json') {
    await context.writeOut(`${JSON.stringify({ sinks: states, runs, rejections })}\n`);
    return 0;
  }
  await print(
    context,
    ['sink', 'state', 'since', 'waiting', 'lag_s', 'held', 'rejected', 'reason'],
    states.map((each) => [
      ...[each.sink, each.state, each.since, each.waiting, Math.round(each.lagSeconds), each.held],
      ...[each.rejected, each.reason],
    ]),
  );
  await context.writeOut('\n');
  await print(
    context,
    ['sink', 'started_at', 'ended_at', 'status', 'taken', 'sent', 'rejected', 'retries', 'message'],
    runs.map((each) => [
      ...[each.sink, each.startedAt, each.endedAt, each.status, each.taken, each.sent],
      ...[each.rejected, each.retries, each.message],
    ]),
  );
  if (rejections.length === 0) return 0;
  await context.writeOut('\n');
  await print(
    context,
    ['sink', 'rejected_at', 'key', 'op', 'attempts', 'reason'],
    rejections.map((each) => [each.sink, each.rejectedAt, each.key, each.op, each.attempts, each.reason]),
  );
  return 0;
}

async function print(
  context: CommandContext,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  await printRelation(context, { columns, rows }, context.flags.string('output') === 'csv' ? 'csv' : 'table');
}

async function drop(
  context: CommandContext,
  project: Project,
  db: Connection,
  sinks: readonly SinkNode[],
): Promise<ExitStatus> {
  const { dropRejected } = await import('../../sinks/status.ts');
  const count = await dropRejected(
    db,
    project,
    new Set(sinks.map(({ name }) => name)),
    context.flags.string('key'),
  );
  context.log.info(`Dropped ${grouped(count)} rejected records`);
  return 0;
}

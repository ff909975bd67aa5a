/** Runs the sinks of a project, each in a loop of its own (sink-loop.ts). */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { keepChangelog } from '../deploy/keep-changes.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import type { SinkNode } from '../project/nodes.ts';
import { readDeployed } from '../state/nodes.ts';
import { ensureState } from '../state/schema.ts';
import { beginSink } from './begin.ts';
import type { SinkEvent, SinkSummary } from './events.ts';
import { pause } from './deadline.ts';
import { GuardStop } from './guard.ts';
import { runLocked } from './locks.ts';
import { Notices } from './notices.ts';
import { News } from './news.ts';
import { changeState, readPlace } from './place.ts';
import type { SinkState } from './place.ts';
import { makeReceiver } from './receivers/make-receiver.ts';
import { positionsOf } from './receivers/receiver.ts';
import { beginRun, noteRun } from './run-log.ts';
import { shapeOf } from './shape.ts';
import type { Shifts } from './shifts.ts';
import { prepareSink } from './sink.ts';
import type { Sink } from './sink.ts';
import { SinkLoop } from './sink-loop.ts';
import { Waker } from './waker.ts';

export interface RunSinksOptions {
  /** unique_ids of sinks; all of the project when left out. */
  readonly select?: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Go on until `signal`; else end when everything committed so far was sent. */
  readonly follow: boolean;
  readonly onEvent?: (event: SinkEvent) => void;
  /** Tells of commits; without it the database is asked ten times a second. Answers how to stop. */
  readonly changed?: (listener: () => void) => () => void;
  readonly fullResync?: boolean;
  /** Go on where a guard has stopped a sink. */
  readonly confirm?: boolean;
  /** Send only what was refused before. */
  readonly onlyRejected?: boolean;
  readonly invocationId?: string;
  /** Where others in this process may run the same sinks in another way meanwhile. */
  readonly shifts?: Shifts;
  /** Where sinks of type stdout write. */
  readonly writeOut?: (text: string) => Promise<void>;
}

const pollMs = 100;
/** How long a sink that cannot even begin waits before it tries again. */
const brokenRetryMs = 10_000;

/**
 * Runs sinks until everything is sent, or with `follow` until `signal`; on an abort each finishes what is on its way. A sink
 * that fails does so alone: its summary says how.
 */
export async function runSinks(
  db: Connection,
  project: Project,
  options: RunSinksOptions,
): Promise<SinkSummary[]> {
  const nodes = sinksOf(project, options.select);
  if (nodes.length === 0) return [];
  // Each of them waits for it in several places.
  setMaxListeners(0, options.signal);
  const news = new News(db, stateSchemaOf(project));
  const stopWatching = watch(news, options);
  const run: Run = { ...options, invocationId: options.invocationId ?? randomUUID(), news };
  const runNode = (node: SinkNode, signal: AbortSignal): Promise<SinkSummary> =>
    runOne(db, project, node, { ...run, signal });
  const runAll = async (): Promise<SinkSummary[]> => {
    await db.transaction((tx) => ensureState(tx, stateSchemaOf(project)));
    await keepFeeds(db, project, nodes);
    // An embedded database has one process; on a server several could run the same sink.
    if (isShared(project)) return Promise.all(nodes.map((node) => runNode(node, options.signal)));
    return runLocked(db, {
      stateSchema: stateSchemaOf(project),
      nodes,
      follow: options.follow,
      signal: options.signal,
      run: runNode,
      taken: (node) => {
        const message = 'another process is running it';
        const summary: SinkSummary = { sink: node.name, status: 'broken', message, ...nothing };
        options.onEvent?.({ kind: 'end', sink: node.name, summary });
        return summary;
      },
    });
  };
  try {
    return await runAll();
  } finally {
    stopWatching();
    news.close();
  }
}

type Run = RunSinksOptions & { readonly invocationId: string; readonly news: News };

/** Switches the feeds of all sinks on at once. What is not deployed is told by the sink that wants it. */
async function keepFeeds(db: Connection, project: Project, nodes: readonly SinkNode[]): Promise<void> {
  const deployed = await readDeployed(db, stateSchemaOf(project));
  const models = new Set(
    nodes.map(({ from }) => from).filter((from) => deployed.get(from)?.kind === 'materialized_view'),
  );
  if (models.size > 0) await keepChangelog(db, project, [...models]);
}

const nothing = { taken: 0, sent: 0, unchanged: 0, rejected: 0, batches: 0, retries: 0 };

export function sinksOf(project: Project, select?: ReadonlySet<string>): SinkNode[] {
  return Object.values(project.manifest.sinks).filter(
    ({ unique_id }) => select === undefined || select.has(unique_id),
  );
}

async function runOne(db: Connection, project: Project, node: SinkNode, options: Run): Promise<SinkSummary> {
  const { follow, signal } = options;
  for (;;) {
    let madeRoom = false;
    const summary =
      options.shifts === undefined
        ? await attempt(db, project, node, options)
        : await options.shifts.follow(node.unique_id, signal, async (own) => {
            const done = await attempt(db, project, node, { ...options, signal: own });
            madeRoom = own.aborted && !signal.aborted;
            return done;
          });
    if (madeRoom) continue;
    if (!follow || signal.aborted || (summary.status !== 'broken' && summary.status !== 'held')) {
      options.onEvent?.({ kind: 'end', sink: node.name, summary });
      return summary;
    }
    await pause(brokenRetryMs, signal);
  }
}

/** One run, with its row in `sink_runs`. Whatever goes wrong is this sink's own. */
async function attempt(db: Connection, project: Project, node: SinkNode, options: Run): Promise<SinkSummary> {
  let sink: Sink | undefined;
  let runId: string | undefined;
  const notices = new Notices(options.onEvent ?? (() => {}));
  try {
    sink = prepareSink(project, node);
    notices.of(sink);
    const begun = await begin(db, project, sink, options);
    runId = await beginRun(db, sink, options.invocationId);
    if (begun.gap !== null) notices.tell({ kind: 'gap', sink: node.name, reason: begun.gap });
    const state = begun.place.state === 'failing' ? 'failing' : 'ok';
    if (state !== begun.place.state) await becomes(db, sink, begun.place.id, state, null, notices);
    const receiver = await makeReceiver({ ...begun.context, instance: begun.place.instance });
    const loop = new SinkLoop(
      db,
      { sink, shape: begun.context.shape, place: { ...begun.place, state }, receiver },
      {
        follow: options.follow,
        signal: options.signal,
        confirm: options.confirm === true,
        onlyRejected: options.onlyRejected === true,
        isShared: isShared(project),
        taken: begun.taken,
        runId,
        onEvent: (event) => notices.tell(event),
        waker: new Waker(),
        news: options.news,
      },
    );
    const summary = await loop.run();
    const message = summary.message ?? begun.gap;
    await noteRun(db, sink, runId, summary, { status: summary.status, message });
    return { ...summary, message };
  } catch (error) {
    return await broken(db, node, sink, runId, error, options, notices);
  } finally {
    await notices.sent();
  }
}

/** Whether the database is an embedded one, which does one thing at a time. */
function isShared(project: Project): boolean {
  return project.target.type !== 'postgres';
}

async function begin(db: Connection, project: Project, sink: Sink, options: RunSinksOptions) {
  const shape = await shapeOf(db, sink);
  const place = await readPlace(db, sink);
  const writeOut = options.writeOut ?? (async (text) => void process.stdout.write(text));
  const context = { sink, shape, position: positionsOf(shape), writeOut };
  // Settings that cannot work are found before anything is changed.
  await (await makeReceiver({ ...context, instance: place?.instance ?? '' })).close();
  if (options.onlyRejected === true && place !== undefined) return { context, place, taken: 0, gap: null };
  const choices = {
    fullResync: options.fullResync === true,
    confirm: options.confirm === true,
    inSteps: isShared(project),
  };
  const begun = await db.transaction((tx) => beginSink(tx, project, sink, shape, choices));
  return { context, ...begun };
}

async function becomes(
  db: Connection,
  sink: Sink,
  id: number,
  state: SinkState,
  reason: string | null,
  notices: Notices,
): Promise<void> {
  const before = await changeState(db, sink, id, state, reason);
  if (before !== undefined) notices.tell({ kind: 'state', sink: sink.name, state, before, reason });
}

/** A sink that could not go on: said where people look, once. */
async function broken(
  db: Connection,
  node: SinkNode,
  sink: Sink | undefined,
  runId: string | undefined,
  error: unknown,
  options: Run,
  notices: Notices,
): Promise<SinkSummary> {
  const status = error instanceof GuardStop ? 'held' : 'broken';
  const text = error instanceof Error ? error.message : String(error);
  const message = sink?.scrub(text) ?? text;
  const counts = nothing;
  const summary: SinkSummary = {
    sink: node.name,
    status,
    message,
    ...counts,
    ...(error instanceof SegError ? { diagnostics: error.diagnostics } : {}),
  };
  if (sink === undefined) return summary;
  try {
    const place = await readPlace(db, sink);
    if (place !== undefined) await becomes(db, sink, place.id, status, message, notices);
    // A sink that cannot begin is tried again and again while others follow: that is one run, not many.
    if (runId === undefined && place?.state === status) return summary;
    const id = runId ?? (await beginRun(db, sink, options.invocationId));
    await noteRun(db, sink, id, counts, { status, message });
  } catch {
    // The database itself is gone; the summary says why.
  }
  return summary;
}

/** Looks for news when something may have been committed. */
function watch(news: News, options: RunSinksOptions): () => void {
  if (!options.follow) return () => {};
  if (options.changed !== undefined) return options.changed(() => news.look());
  const timer = setInterval(() => news.look(), pollMs);
  return () => clearInterval(timer);
}

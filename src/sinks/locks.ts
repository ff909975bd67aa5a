/**
 * One process a sink, where several could run it: advisory locks of a transaction that stays open, and ends with its session. It is
 * asked something every few seconds, so that a lost session is noticed, and a server that ends idle transactions leaves it alone.
 */
import type { Connection } from '../engines/connection.ts';
import type { SinkNode } from '../project/nodes.ts';
import { pause } from './deadline.ts';
import type { SinkSummary } from './events.ts';

export interface LockedRun {
  readonly stateSchema: string;
  readonly nodes: readonly SinkNode[];
  /** Wait for sinks that others run, and go on when the session of the locks was lost. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly run: (node: SinkNode, signal: AbortSignal) => Promise<SinkSummary>;
  /** Told once of each sink that another process runs. */
  readonly taken: (node: SinkNode) => SinkSummary;
}

/** First of two numbers of an advisory lock; the other is the sink's. */
const RUNNERS_LOCK = 0x5e651c5;
/** A server that ends idle transactions earlier than that is set so for its own people. */
const LOOK_MS = 3000;
const AGAIN_MS = 1000;

/** @throws DatabaseError when the database is lost, without `follow` */
export async function runLocked(db: Connection, asked: LockedRun): Promise<SinkSummary[]> {
  const told = new Map<string, SinkSummary>();
  for (;;) {
    try {
      return await db.transaction((tx) => underLocks(tx, asked, told));
    } catch (error) {
      if (!asked.follow || asked.signal.aborted) throw error;
      // The sinks have ended with their locks. Another process may have them by now.
      await pause(AGAIN_MS, asked.signal);
      if (asked.signal.aborted) throw error;
    }
  }
}

async function underLocks(
  tx: Connection,
  asked: LockedRun,
  told: Map<string, SinkSummary>,
): Promise<SinkSummary[]> {
  const lost = new AbortController();
  const until = AbortSignal.any([asked.signal, lost.signal]);
  const running = new Map<string, Promise<SinkSummary>>();
  try {
    for (;;) {
      await tx.query('SELECT 1');
      for (const node of asked.nodes) {
        if (running.has(node.unique_id)) continue;
        if (await tryLock(tx, asked.stateSchema, node)) {
          told.delete(node.unique_id);
          running.set(node.unique_id, asked.run(node, until));
        } else if (!told.has(node.unique_id)) told.set(node.unique_id, asked.taken(node));
      }
      const all = Promise.all(running.values());
      if (!asked.follow && (await ended(all, until))) break;
      if (asked.follow && !(await pause(LOOK_MS, until))) break;
    }
  } catch (error) {
    lost.abort(error);
    await Promise.allSettled(running.values());
    throw error;
  }
  return [...told.values(), ...(await Promise.all(running.values()))];
}

/** Waits for all of them, not longer than until the session is to be asked again. */
async function ended(all: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const waiting = new AbortController();
  try {
    const soon = pause(LOOK_MS, signal, waiting.signal).then(() => false);
    const done = await Promise.race([all.then(() => true), soon]);
    return done || signal.aborted;
  } finally {
    waiting.abort();
  }
}

async function tryLock(tx: Connection, stateSchema: string, node: SinkNode): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_xact_lock($1::integer, hashtext($2)) AS locked',
    [RUNNERS_LOCK, `${stateSchema} ${node.unique_id}`],
  );
  return rows[0]!.locked;
}

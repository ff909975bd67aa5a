/** Waiting for an object that the engine makes in the background: until it is complete, with its progress shown. */
import { setTimeout as sleep } from 'node:timers/promises';
import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { DesiredNode } from './desired-node.ts';
import type { Dialect } from './dialect.ts';
import { isNotThereYet } from './engine-error.ts';

const POLL_MS = 500;
/** How often an object may be found nowhere before its making counts as given up. */
const PATIENCE = 10;

export interface Waiting {
  readonly db: Connection;
  readonly dialect: Dialect;
  readonly node: Pick<DesiredNode, 'label' | 'at'>;
  /** The name it is made under. */
  readonly relation: RelationName;
  readonly onProgress: (progress: string) => void;
  readonly signal: AbortSignal | undefined;
  /** How long the cluster may be in recovery before the object counts as what keeps it there. */
  readonly recoveryTimeoutMs: number;
}

/** Waits until a view holds all that it is to hold. @throws SegError SEG419 when the engine gave up */
export async function untilComplete(waiting: Waiting): Promise<void> {
  const { db, dialect, node, relation, onProgress, signal } = waiting;
  let recoversSince: number | undefined;
  for (let shown = '', missing = 0; !(await isComplete(waiting));) {
    const progress = await progressOf(waiting);
    recoversSince =
      progress !== undefined && isError(progress) ? (recoversSince ?? performance.now()) : undefined;
    if (recoversSince !== undefined && performance.now() - recoversSince >= waiting.recoveryTimeoutMs)
      throw notFilled(waiting, progress!);
    if (progress !== undefined && progress !== shown) onProgress(progress);
    shown = progress ?? shown;
    const { rows } = await db.query<{ name: string }>(dialect.objectsIn(relation.schema));
    const known = progress !== undefined || rows.some(({ name }) => name === relation.name);
    missing = known ? 0 : missing + 1;
    if (missing === PATIENCE) {
      throw segError('SEG419', `${node.label}: ${dialect.title} gave up filling it`, {
        at: node.at,
        hint: "Look into the engine's own log; a backfill fails when the cluster is out of memory or restarts.",
        exitCode: 1,
      });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** rw_ddl_progress says `Err[cluster under recovery[...]]` where it cannot say how far it is. */
function isError(progress: string): boolean {
  return /^Err\[|under recovery/i.test(progress);
}

function notFilled({ node, dialect, recoveryTimeoutMs }: Waiting, progress: string): SegError {
  const seconds = Math.round(recoveryTimeoutMs / 1000);
  return segError(
    'SEG419',
    `${node.label} cannot be filled: for ${seconds} s ${dialect.title} has said "${progress}"`,
    {
      at: node.at,
      hint: 'Something that it reads fails, such as a source whose broker is away, and keeps the whole cluster in recovery. What was begun is taken away again; run it when that is mended ("recovery_timeout" of the target, in seconds, says how long seg waits).',
      exitCode: 1,
    },
  );
}

/** Waits while the engine says that it is still making the object. */
export async function untilSettled(waiting: Waiting): Promise<void> {
  for (let shown = ''; ;) {
    const progress = await progressOf(waiting);
    if (progress === undefined || waiting.dialect.engine === 'materialize') return;
    if (progress !== shown) waiting.onProgress(progress);
    shown = progress;
    await sleep(POLL_MS, undefined, { signal: waiting.signal });
  }
}

async function isComplete({ db, dialect, relation }: Waiting): Promise<boolean> {
  try {
    const { rows } = await db.query<{ ready: boolean }>(dialect.readiness(relation));
    return rows[0]?.ready === true;
  } catch (error) {
    if (error instanceof DatabaseError && isNotThereYet(error)) return false;
    throw error;
  }
}

/** For people only: an engine that cannot tell it is not in the way. */
async function progressOf({ db, dialect, relation }: Waiting): Promise<string | undefined> {
  try {
    const { rows } = await db.query<{ progress: string }>(dialect.progress(relation));
    return rows[0]?.progress;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlstate.startsWith('08')) throw error;
    return undefined;
  }
}

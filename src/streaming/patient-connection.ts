/** A connection whose statements wait while the cluster recovers: the engine refuses them for a second or two, and takes them then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection, QueryResult, Row } from '../engines/connection.ts';
import { isRecovering } from './engine-error.ts';

export interface Patience {
  /** How long a recovery may take. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Told once per recovery. */
  readonly onWait?: () => void;
}

/** How long a recovery of the cluster may take, unless the target says otherwise. */
const RECOVERY_SECONDS = 120;
const REST_MS = 1000;

/** `recovery_timeout` of a target, in seconds. */
export function recoveryTimeoutMs(fields: Readonly<Record<string, unknown>>): number {
  const seconds = Number(fields['recovery_timeout'] ?? RECOVERY_SECONDS);
  return (Number.isFinite(seconds) && seconds >= 0 ? seconds : RECOVERY_SECONDS) * 1000;
}

export function patientConnection(db: Connection, patience: Patience): Connection {
  const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
    const until = performance.now() + patience.timeoutMs;
    for (let told = false; ;) {
      try {
        return await work();
      } catch (error) {
        const passing = error instanceof DatabaseError && isRecovering(error);
        if (!passing || performance.now() >= until || patience.signal?.aborted === true) throw error;
        if (!told) patience.onWait?.();
        told = true;
        await sleep(Math.min(REST_MS, patience.timeoutMs), undefined, { signal: patience.signal });
      }
    }
  };
  return {
    query: <R = Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<R>> =>
      patiently(() => db.query<R>(sql, params)),
    exec: (sql) => patiently(() => db.exec(sql)),
    transaction: (work) => db.transaction(work),
    copyFrom: (target, names, lines) => db.copyFrom(target, names, lines),
  };
}

/** How much of the embedded database one read may take: everybody else waits meanwhile. */
import { DatabaseError } from '../../engines/connection.ts';
import type { Bounds, Interrupter, Interruption } from '../../engines/pglite/interrupt.ts';
import type { WireError } from '../wire/backend-messages.ts';
import type { Bound } from './bounded-connection.ts';

/** By how much reads may enlarge the engine's memory; what a statement of the owner has made larger is theirs as well. */
export const READ_MEMORY_BYTES = 512 * 2 ** 20;

const CANCELED = '57014';

/** @param milliseconds 0: as long as it likes */
export function readBounds(milliseconds: number): Bounds {
  return { milliseconds: milliseconds > 0 ? milliseconds : undefined, memory: true };
}

/** What a statement is told whose time was up. */
export function timeIsUp(milliseconds: number): WireError {
  return {
    sqlstate: CANCELED,
    message: `canceling statement due to statement timeout: a read may take ${milliseconds / 1000} seconds`,
    hint: 'Narrow the read or make a model of it; "seg serve --read-timeout" sets the limit. On a PostgreSQL target readers do not wait for each other.',
  };
}

/** Bounds statements of a Connection. */
export function boundReads(interrupter: Interrupter, milliseconds: number): Bound {
  return async (statement) => {
    let ended: Interruption | undefined;
    const onInterrupted = (why: Interruption): void => {
      ended = why;
    };
    try {
      return await interrupter.within({ ...readBounds(milliseconds), onInterrupted }, statement);
    } catch (error) {
      if (ended !== 'time' || !(error instanceof DatabaseError) || error.sqlstate !== CANCELED) throw error;
      const { message, ...fields } = timeIsUp(milliseconds);
      throw new DatabaseError(message, { ...fields, cause: error });
    }
  };
}

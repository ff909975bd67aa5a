import { DatabaseError } from './connection.ts';
import type { Connection } from './connection.ts';

/** Runs `work` in a savepoint of the transaction that `tx` is in: kept when it returns, undone when it throws. */
export async function inSavepoint<C extends Connection, T>(tx: C, work: (tx: C) => Promise<T>): Promise<T> {
  await tx.exec('SAVEPOINT seg');
  try {
    const result = await work(tx);
    await tx.exec('RELEASE SAVEPOINT seg');
    return result;
  } catch (error) {
    // The session is gone, and its savepoints; what it says then would hide why.
    if (error instanceof DatabaseError && error.fatal) throw error;
    await tx.exec('ROLLBACK TO SAVEPOINT seg; RELEASE SAVEPOINT seg');
    throw error;
  }
}

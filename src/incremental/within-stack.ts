/** Queries too deep for the planner, which follows them by recursion. */
import { DatabaseError } from '../engines/connection.ts';
import { SqlSyntaxError } from '../sql/parse.ts';

/** @throws DatabaseError 54001, as PostgreSQL says it of its own stack, so that the view or model is named like for any other refusal */
export async function withinStack<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const overflow = error instanceof RangeError && /call stack/i.test(error.message);
    // What PostgreSQL has accepted can only be too deep (sql/parse.ts).
    if (!overflow && !(error instanceof SqlSyntaxError)) throw error;
    throw new DatabaseError('the query is nested too deeply to be maintained', {
      sqlstate: '54001',
      hint: 'Nest it less deeply: put parts of it into views or models of their own, and sum up lists with an aggregate over VALUES. Or let it be no maintained view.',
      cause: error,
    });
  }
}

/** A session that a feed holds for itself: cursors live in sessions, and a pool hands out any. */
import type { QueryResult } from '../engines/connection.ts';

export interface FeedSession {
  query(sql: string): Promise<QueryResult<Record<string, unknown>>>;
  /** Ends the session; a cursor that is left open goes with it. */
  release(): void;
}

/**
 * Tells sinks when there is something for them. After a commit the database is asked once for all of them, and only those whose
 * model has changed look themselves: most commits are about something else.
 */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { pause } from './deadline.ts';
import type { Shape } from './shape.ts';

interface Reader {
  readonly shape: Shape;
  /** Up to where it has taken everything. */
  readonly position: () => bigint;
  readonly tell: () => void;
}

/** The database is left alone for so many times as long as a look took. */
const REST = 2;
const LONGEST_REST_MS = 100;

export class News {
  readonly #db: Connection;
  readonly #stateSchema: string;
  readonly #readers = new Set<Reader>();
  readonly #closed = new AbortController();
  #looking = false;
  #again = false;

  constructor(db: Connection, stateSchema: string) {
    this.#db = db;
    this.#stateSchema = stateSchema;
  }

  /** Tells a sink from now on. Answers how to end that. */
  for(reader: Reader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** Something may have been committed. */
  look(): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    void this.#look().finally(() => (this.#looking = false));
  }

  close(): void {
    this.#closed.abort();
  }

  async #look(): Promise<void> {
    do {
      this.#again = false;
      const started = performance.now();
      const readers = [...this.#readers];
      if (readers.length === 0) return;
      try {
        const last = await this.#last(readers);
        readers.forEach((reader, n) => {
          if (last[n] !== null && BigInt(last[n]!) > reader.position()) reader.tell();
        });
      } catch {
        // The sinks meet the same error and tell it.
        for (const { tell } of readers) tell();
      }
      const rest = Math.min(LONGEST_REST_MS, REST * (performance.now() - started));
      if (!(await pause(rest, this.#closed.signal))) return;
    } while (this.#again);
  }

  /** The last change of each reader's model, or the last arrival at its source. */
  async #last(readers: readonly Reader[]): Promise<(string | null)[]> {
    const seg = quoteIdentifier(this.#stateSchema);
    const each = readers.map(({ shape: { from, position } }) =>
      position === null
        ? `(SELECT max(epoch) FROM ${seg}.changelog WHERE node = ${from.id})::text`
        : `(SELECT max(${quoteIdentifier(position)}) FROM ${quoteRelation({ schema: from.schema, name: from.relation })})::text`,
    );
    const { rows } = await this.#db.query<{ last: (string | null)[] }>(
      `SELECT to_json(ARRAY[${each.join(', ')}]) AS last`,
    );
    return rows[0]!.last;
  }
}

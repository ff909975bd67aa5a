/**
 * All followers of one database in one process. After a commit the changelog is asked once, for all models that anybody
 * follows, and not once a follower; what was read is kept for a while, so that followers who keep up need no query of
 * their own. A follower pulls: it is handed the next batch when it has dealt with the last one, so a slow one costs no
 * memory, and reads from the changelog what is no longer at hand. On models that nobody follows nothing is spent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeBatch, Position } from '../changelog/change.ts';
import { keepChangelog } from '../deploy/keep-changes.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import { currentPosition, followable, readChangePage, readSnapshot } from './feed.ts';
import type { ChangePage, Snapshot } from './feed.ts';
import type { FeedView } from './feed-view.ts';
import { lookForChanges } from './look.ts';
import { epochOf } from './position.ts';
import { Seat } from './seat.ts';
import { readSnapshotParts } from './snapshot.ts';

export type FeedItem = { readonly snapshot: Snapshot } | { readonly batch: ChangeBatch };

export interface FeedRequest extends FeedView {
  /** unique_id of a maintained model, or of a test that stores its failures. */
  readonly model: string;
  /** Where to go on; absent: begin with a snapshot, or with `skipSnapshot` from now. */
  readonly from?: Position;
  readonly skipSnapshot?: boolean;
  /** End when everything up to there was given. */
  readonly until?: Position;
  /** End when everything committed so far was given (no following). */
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

export interface FeedHubOptions {
  /** Look for changes that often also without being told (`poke`): other processes may write. */
  readonly pollMs?: number;
  /** The reader's connection is used for reading alone; what switches a feed on goes through this one. */
  readonly writer?: Connection;
  /** The database has one session, the embedded one: long snapshots come in parts. */
  readonly oneSession?: boolean;
  readonly onDelivered?: (model: string, batch: ChangeBatch) => void;
}

/** After a look the database is left alone for as long as the look took, so that more comes together when it is busy. */
const LONGEST_REST_MS = 100;

/** How long the first who wants a feed switched on waits for others who do: programs are made again for all of them at once. */
const GATHER_MS = 100;

export class FeedHub {
  readonly #db: Connection;
  readonly #project: () => Project;
  readonly #options: FeedHubOptions;
  readonly #seats = new Map<string, Seat>();
  readonly #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #pollAgain = false;
  #closing = false;
  #followers = 0;
  #keeping: Promise<void> = Promise.resolve();
  #asked: { readonly models: Set<string>; readonly done: Promise<void> } | undefined;

  constructor(db: Connection, project: () => Project, options: FeedHubOptions = {}) {
    this.#db = db;
    this.#project = project;
    this.#options = options;
    if (options.pollMs !== undefined) {
      this.#timer = setInterval(() => this.poke(), options.pollMs);
      this.#timer.unref();
    }
  }

  get followers(): number {
    return this.#followers;
  }

  /** Says that something may have been committed. */
  poke(): void {
    if (this.#seats.size === 0) return;
    if (this.#polling !== undefined) {
      this.#pollAgain = true;
      return;
    }
    this.#polling = this.#poll()
      // The followers meet the same error when they read, and tell it.
      .catch(() => this.#seats.forEach((seat) => seat.wake()))
      .finally(() => {
        this.#polling = undefined;
        if (this.#pollAgain) {
          this.#pollAgain = false;
          this.poke();
        }
      });
  }

  /** Followers get what is committed by now and end. */
  close(): void {
    this.#closing = true;
    clearInterval(this.#timer);
    for (const seat of this.#seats.values()) seat.wake();
  }

  /**
   * Snapshot and batches of a model, until `signal`, `until`, `once` or `close`. Switches the model's feed on. Answers at
   * its end up to where everything was given.
   * @throws SegError as `keepChangelog`, `readSnapshot` and `readChangePage` do
   */
  async *follow(request: FeedRequest): AsyncGenerator<FeedItem, Position> {
    const stateSchema = stateSchemaOf(this.#project());
    const aborted = (): boolean => request.signal?.aborted === true;
    const view = { where: request.where, columns: request.columns };
    const until = request.until === undefined ? undefined : epochOf(request.until);
    const { keepChanges } = await followable(this.#db, request.model, stateSchema);
    if (!keepChanges) await this.#keep(request.model);
    let position: Position;
    if (request.from !== undefined) position = request.from;
    else if (request.skipSnapshot === true) position = await currentPosition(this.#db, stateSchema);
    else {
      const read = { stateSchema, view };
      const parts = this.#options.oneSession
        ? readSnapshotParts(this.#db, request.model, read)
        : [await readSnapshot(this.#db, request.model, read)];
      position = '';
      for await (const snapshot of parts) {
        yield { snapshot };
        position = snapshot.position;
        if (aborted()) return position;
      }
    }
    const seat = await this.#sit(request.model, stateSchema);
    this.#followers++;
    try {
      while (!aborted()) {
        const { version } = seat;
        const closing = this.#closing;
        const plain = view.where === undefined && view.columns === undefined && until === undefined;
        const page: ChangePage =
          (plain ? seat.after(position) : undefined) ??
          (await readChangePage(this.#db, request.model, position, {
            stateSchema,
            view,
            until: request.until,
            paged: true,
          }));
        for (const batch of page.batches) {
          yield { batch };
          this.#options.onDelivered?.(request.model, batch);
          position = batch.position;
          if (aborted()) return position;
        }
        position = page.position;
        if (page.more) continue;
        if (until !== undefined && epochOf(position) >= until) return position;
        if (request.once === true || closing) return position;
        await seat.changed(version, request.signal);
      }
      return position;
    } finally {
      this.#followers--;
      if (seat.leave()) this.#seats.delete(request.model);
    }
  }

  /** Switches a model's feed on, together with those that others ask for meanwhile. */
  #keep(model: string): Promise<void> {
    if (this.#asked === undefined) {
      const models = new Set<string>();
      const done = this.#keeping.then(async () => {
        // While the database is busy with one, nobody else gets as far as to ask: a moment, and they do.
        await sleep(GATHER_MS);
        this.#asked = undefined;
        return keepChangelog(this.#options.writer ?? this.#db, this.#project(), [...models]);
      });
      this.#asked = { models, done };
      this.#keeping = done.catch(() => {});
    }
    this.#asked.models.add(model);
    return this.#asked.done;
  }

  async #sit(model: string, stateSchema: string): Promise<Seat> {
    let seat = this.#seats.get(model);
    if (seat === undefined) {
      const position = await currentPosition(this.#db, stateSchema);
      seat = this.#seats.get(model) ?? new Seat(position);
      this.#seats.set(model, seat);
    }
    seat.take();
    return seat;
  }

  async #poll(): Promise<void> {
    const started = performance.now();
    const stateSchema = stateSchemaOf(this.#project());
    const seats = [...this.#seats];
    const since = new Map(seats.map(([model, seat]) => [model, seat.end]));
    const { position, found } = await lookForChanges(this.#db, stateSchema, since);
    for (const [model, seat] of seats) {
      if (position <= seat.end) continue;
      const news = found.get(model);
      if (news == null) seat.skipTo(position);
      else seat.add(news.batches, news.bytes, position);
    }
    if (!this.#closing) await sleep(Math.min(LONGEST_REST_MS, performance.now() - started));
  }
}

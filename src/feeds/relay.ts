/**
 * The owner of a data directory answers followers of its feeds: `seg subscribe` in one terminal sees what
 * `seg ingest` in another one commits. A line of JSON each way on a loopback port; the port and a secret word stand in
 * the lock file, which only its user may read.
 *
 *     follower → owner   {token, model, from: Position | null, once}      from = null asks for a snapshot first
 *     owner → follower   {snapshot} once, then {batch}...; {done: true} when `once` was asked for and all is told;
 *                        {end: true} when the owner closes; {error: Diagnostic[]}
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ChangeBatch, Position } from '../changelog/change.ts';
import { keepChangelog } from '../deploy/keep-changes.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { LockOwner } from '../engines/pglite/lock.ts';
import type { Project } from '../project/load.ts';
import { readChanges, readSnapshot } from './feed.ts';
import type { Snapshot } from './feed.ts';

export interface RelayRequest {
  readonly token: string;
  readonly model: string;
  readonly from: Position | null;
  /** To the present only. */
  readonly once?: boolean;
}

export type RelayMessage =
  | { readonly snapshot: Snapshot }
  | { readonly batch: ChangeBatch }
  | { readonly error: readonly Diagnostic[] }
  | { readonly done: true }
  | { readonly end: true };

export interface Relay {
  readonly address: NonNullable<LockOwner['address']>;
  /** Sends what is committed and not sent yet, says goodbye, and stops listening. */
  close(): Promise<void>;
}

/** How often a follower's feed is looked at; a look costs one indexed query. */
const pollMs = 100;

/** How long the end of the owner waits for a follower that does not read; it finds the rest in the directory. */
const farewellMs = 2000;

export async function startRelay(db: Connection, project: Project): Promise<Relay> {
  const token = randomBytes(24).toString('base64url');
  const followers = new Set<Follower>();
  const server = createServer((socket) => {
    const follower = new Follower(socket, db, project, token);
    followers.add(follower);
    socket.on('close', () => followers.delete(follower));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  // The command ends when its work ends, not when its followers leave.
  server.unref();
  return {
    address: { port: (server.address() as AddressInfo).port, token },
    async close() {
      server.close();
      await Promise.all([...followers].map((follower) => follower.end()));
    },
  };
}

class Follower {
  readonly #socket: Socket;
  readonly #db: Connection;
  readonly #project: Project;
  #model: string | undefined;
  #position: Position | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #sending: Promise<void> = Promise.resolve();

  constructor(socket: Socket, db: Connection, project: Project, token: string) {
    this.#socket = socket;
    this.#db = db;
    this.#project = project;
    socket.unref();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearInterval(this.#timer));
    createInterface({ input: socket }).once('line', (line) => {
      const request = parseRequest(line);
      if (request === undefined || !sameText(request.token, token)) socket.destroy();
      else this.#guard(() => this.#begin(request));
    });
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    const timer = setTimeout(() => this.#socket.destroy(), farewellMs);
    if (this.#position !== undefined) this.#guard(() => this.#pump());
    await this.#sending;
    await this.#send({ end: true });
    if (!this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#socket.once('close', resolve);
        this.#socket.end(resolve);
      });
    }
    clearTimeout(timer);
  }

  async #begin(request: RelayRequest): Promise<void> {
    const stateSchema = stateSchemaOf(this.#project);
    this.#model = request.model;
    await keepChangelog(this.#db, this.#project, request.model);
    if (request.from === null) {
      const snapshot = await readSnapshot(this.#db, request.model, stateSchema);
      await this.#send({ snapshot });
      this.#position = snapshot.position;
    } else {
      this.#position = request.from;
      await this.#pump();
    }
    if (request.once === true) {
      await this.#send({ done: true });
      this.#socket.end();
      return;
    }
    this.#timer = setInterval(() => {
      // One look at a time: with a slow follower they would pile up.
      if (!this.#looking) this.#guard(() => this.#pump());
    }, pollMs);
    this.#timer.unref();
  }

  async #pump(): Promise<void> {
    if (this.#model === undefined || this.#position === undefined) return;
    this.#looking = true;
    const batches = await readChanges(this.#db, this.#model, this.#position, {
      stateSchema: stateSchemaOf(this.#project),
    });
    for (const batch of batches) {
      await this.#send({ batch });
      this.#position = batch.position;
    }
    this.#looking = false;
  }

  /** One piece of work after the other; a mistake of the follower is told and ends the connection. */
  #guard(work: () => Promise<void>): void {
    this.#sending = this.#sending.then(work).catch((error: unknown) => {
      clearInterval(this.#timer);
      if (error instanceof SegError) void this.#send({ error: error.diagnostics });
      this.#socket.end();
    });
  }

  /** Resolves when the follower has room for more, or is gone: what is not sent yet stays in the changelog, not here. */
  async #send(message: RelayMessage): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.write(`${JSON.stringify(message)}\n`)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
    });
  }
}

function parseRequest(line: string): RelayRequest | undefined {
  try {
    const value = JSON.parse(line) as Partial<RelayRequest>;
    if (typeof value.token !== 'string' || typeof value.model !== 'string') return undefined;
    return {
      token: value.token,
      model: value.model,
      from: typeof value.from === 'string' ? value.from : null,
      once: value.once === true,
    };
  } catch {
    return undefined;
  }
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

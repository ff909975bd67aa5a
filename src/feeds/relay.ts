/**
 * The owner of a data directory answers followers of its feeds: `seg subscribe` in one terminal sees what
 * `seg ingest` in another one commits. A line of JSON each way on a loopback port; the port and a secret word stand in
 * the lock file, which only its user may read.
 *
 *     follower → owner   {token, model, from?, until?, once?, where?, columns?}      without from: a snapshot first
 *                        {token, sync} for tasks that the owner knows, `{stop: true}` to have one end
 *     owner → follower   {snapshot} once, then {batch}...; {done: true} when all that was asked for is told;
 *                        {end: true} when the owner closes; {error: Diagnostic[]}
 */
import { stringifyJson, type Writable } from '../json/exact-json.ts';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ChangeBatch } from '../changelog/change.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { LockOwner } from '../engines/pglite/lock.ts';
import type { Snapshot } from './feed.ts';
import type { FeedHub, FeedRequest } from './hub.ts';

export type RelayRequest = Omit<FeedRequest, 'signal' | 'skipSnapshot'> & { readonly token: string };

export type RelayMessage =
  | { readonly snapshot: Snapshot }
  | { readonly batch: ChangeBatch }
  | { readonly error: readonly Diagnostic[] }
  | { readonly done: true }
  | { readonly end: true };

export interface Relay {
  readonly address: NonNullable<LockOwner['address']>;
  /** Sends what is committed and not sent yet, says goodbye, and stops listening. Closes the hub. */
  close(): Promise<void>;
}

/** How long the end of the owner waits for a follower that does not read; it finds the rest in the directory. */
const farewellMs = 2000;

/** Something else than following; its messages are its own. The signal: the one who asked has gone, or wants it to end. */
export type RelayTask = (tell: (message: object) => Promise<void>, signal: AbortSignal) => Promise<void>;

/** @param taskOf the task that a request's `sync` asks for; undefined: none */
export async function startRelay(
  hub: FeedHub,
  taskOf: (request: unknown) => RelayTask | undefined = () => undefined,
): Promise<Relay> {
  const token = randomBytes(24).toString('base64url');
  const followers = new Set<Follower>();
  const server = createServer((socket) => {
    const follower = new Follower(socket, hub, token, taskOf);
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
      hub.close();
      await Promise.all([...followers].map((follower) => follower.end()));
    },
  };
}

class Follower {
  readonly #socket: Socket;
  readonly #hub: FeedHub;
  readonly #gone = new AbortController();
  #feeding: Promise<void> | undefined;
  #isTask = false;

  constructor(
    socket: Socket,
    hub: FeedHub,
    token: string,
    taskOf: (request: unknown) => RelayTask | undefined,
  ) {
    this.#socket = socket;
    this.#hub = hub;
    socket.unref();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone.abort());
    const lines = createInterface({ input: socket });
    lines.once('line', (line) => {
      const asked = parseObject(line);
      if (typeof asked?.['token'] !== 'string' || !sameText(asked['token'], token)) return socket.destroy();
      const task = taskOf(asked['sync']);
      const request = parseRequest(asked);
      if (task !== undefined) {
        this.#isTask = true;
        lines.on('line', () => this.#gone.abort());
        this.#feeding = this.#work(task);
      } else if (request !== undefined) this.#feeding = this.#feed(request);
      else socket.destroy();
      return undefined;
    });
  }

  /** The hub is closing: waits for the rest to be sent. */
  async end(): Promise<void> {
    if (this.#isTask) this.#gone.abort();
    const timer = setTimeout(() => this.#socket.destroy(), farewellMs);
    await this.#feeding;
    if (!this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#socket.once('close', resolve);
        this.#socket.end(resolve);
      });
    }
    clearTimeout(timer);
  }

  async #work(task: RelayTask): Promise<void> {
    // It goes on while its client reads: the process does not end under it.
    this.#socket.ref();
    await task((message) => this.#send(message), this.#gone.signal);
    this.#socket.end();
  }

  async #feed(request: RelayRequest): Promise<void> {
    const bounded = request.once === true || request.until !== undefined;
    try {
      for await (const item of this.#hub.follow({ ...request, signal: this.#gone.signal })) {
        await this.#send(item);
      }
      await this.#send(bounded ? { done: true } : { end: true });
    } catch (error) {
      if (error instanceof SegError) await this.#send({ error: error.diagnostics });
    }
    this.#socket.end();
  }

  /** Resolves when the follower has room for more, or is gone: what is not sent yet stays in the changelog, not here. */
  async #send(message: object): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.write(`${stringifyJson(message as Writable)}\n`)) return;
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

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function parseRequest(value: Record<string, unknown>): RelayRequest | undefined {
  const { token, model } = value;
  if (typeof token !== 'string' || typeof model !== 'string') return undefined;
  const text = (given: unknown) => (typeof given === 'string' ? given : undefined);
  return {
    token,
    model,
    from: text(value['from']),
    until: text(value['until']),
    where: text(value['where']),
    columns: Array.isArray(value['columns']) ? value['columns'].map(String) : undefined,
    once: value['once'] === true,
  };
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/**
 * One process that holds the database and serves it: records in over HTTP, views and their changes out, the Postgres wire
 * protocol for everybody else, the project's clock, the sinks. Everything goes through one line of turns.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { tickClock } from '../clock/ticker.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection, Database } from '../engines/connection.ts';
import { PGliteDatabase } from '../engines/pglite/connection.ts';
import { DirectoryDatabase } from '../engines/pglite/open.ts';
import { PostgresDatabase } from '../engines/postgres/connection.ts';
import { FeedHub } from '../feeds/hub.ts';
import { startRelay } from '../feeds/relay.ts';
import type { Logger } from '../log/logger.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { boundReads, READ_MEMORY_BYTES } from './engine/read-limits.ts';
import { SharedDatabase } from './engine/shared-database.ts';
import { Turns } from './engine/turns.ts';
import { createApp } from './http/app.ts';
import { createMetrics } from './metrics.ts';
import { serveSinks } from './serve-sinks.ts';
import { keepHouse } from './keep-house.ts';
import { ServerState } from './server-state.ts';
import { SyncDesk } from './sync-desk.ts';
import type { Intake } from './server-state.ts';
import type { ServerTls } from './tls.ts';
import { Tokens } from './tokens.ts';
import { watchDeployments } from './watch-deployments.ts';
import { reachable } from './wire/reachable.ts';
import { startWireServer } from './wire/wire-server.ts';
import type { WireServer } from './wire/wire-server.ts';

export interface ServeOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The port of the Postgres protocol; 0: any free one; null: none. Embedded databases only: others speak it themselves. */
  readonly pgPort: number | null;
  /** How long a client of that port may be idle in a transaction. */
  readonly pgIdleMs: number;
  /** How long a reader's statement may take; 0: as long as it likes. Embedded databases only: elsewhere readers do not wait for each other. */
  readonly readMs: number;
  /** 0: none. */
  readonly clockIntervalMs: number;
  /** The unique_ids of the sinks that run, for each version of the project; null: none ever. */
  readonly sinks: ((project: Project) => ReadonlySet<string>) | null;
  /** Records of one source that may wait; more are refused with 429. */
  readonly maxPending: number;
  /** Where records go when the database is a copy. */
  readonly intake?: Intake;
  /** Undefined: HTTP and the Postgres protocol without TLS. */
  readonly tls?: ServerTls;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  readonly version: string;
  readonly signal: AbortSignal;
  /** Loads the project anew, after another process has deployed another one. */
  readonly reload: () => Promise<Project>;
  /** The database as the server shares it: what is written there wakes those who follow. Called before it listens. */
  readonly onShared?: (db: Connection) => void;
  /** Where it listens, once it does. */
  readonly onListening?: (address: { readonly http: string; readonly postgres: string | null }) => void;
}

/** Clients that do not end by themselves are cut off after so long. */
const GOODBYE_MS = 5000;

/**
 * Serves until `signal`, then finishes what is under way. The database is closed by the caller.
 * @throws SegError SEG829 for a port that cannot be had, and as `accessOf` does
 */
export async function serve(db: Database, project: Project, options: ServeOptions): Promise<void> {
  const { log, signal } = options;
  const { tokens, ownerPassword } = accessOf(options);
  const metrics = createMetrics(db instanceof PGliteDatabase ? () => db.engineBytes : undefined);
  const turns = new Turns({
    onWaited: (kind, seconds) => metrics.turnSeconds.observe({ kind }, seconds),
    onEnded: (kind, seconds) => metrics.turnLength.observe({ kind }, seconds),
  });
  const interrupter = db instanceof PGliteDatabase ? db.allowInterrupts(READ_MEMORY_BYTES) : undefined;
  const shared = new SharedDatabase(db, turns, {
    exclusive: db instanceof PGliteDatabase,
    boundReads: interrupter === undefined ? undefined : boundReads(interrupter, options.readMs),
  });
  const state = new ServerState({
    ...{ project, shared, metrics },
    ...{ maxPending: options.maxPending, intake: options.intake },
  });
  state.hub = new FeedHub(shared.as('feed'), () => state.project, {
    writer: shared.as('command'),
    // The embedded database is written to through this process alone.
    ...(db instanceof PGliteDatabase ? { oneSession: true } : { pollMs: 1000 }),
    onDelivered: (model, batch) => {
      metrics.feedChanges.inc({ model }, batch.changes.length);
      metrics.feedLag.observe({ model }, Math.max(0, (Date.now() - Date.parse(batch.at)) / 1000));
      metrics.lastChange.set({ model }, Date.parse(batch.at) / 1000);
    },
  });
  shared.onWritten(() => state.hub.poke());
  options.onShared?.(shared.as('ingest'));
  const stopListening =
    db instanceof PostgresDatabase
      ? await followServer(db, state.stateSchema, () => shared.written())
      : undefined;
  const desk = new SyncDesk(() => state, options.reload);
  const relay =
    db instanceof DirectoryDatabase ? await startRelay(state.hub, (asked) => desk.taskOf(asked)) : undefined;
  let wire: WireServer | undefined;
  const app = await createApp({
    state,
    tokens,
    log,
    env: options.env,
    version: options.version,
    tls: options.tls,
  });
  const stopWatching = options.tls?.watch(log);
  try {
    await listen(() => app.listen({ host: options.host, port: options.port }), options.port, '--port');
    const token = relay?.address.token ?? randomBytes(24).toString('base64url');
    if (db instanceof PGliteDatabase && options.pgPort !== null) {
      const { pgPort, pgIdleMs, readMs } = options;
      const readerPassword = nonEmpty(options.env['SEG_PG_READER_PASSWORD']) ?? ownerPassword;
      const access = { token, ownerPassword, readerPassword };
      const schemas = async () => [
        ...new Set([...(await state.deployed()).values()].map((node) => node.schema)),
      ];
      const wireOptions = {
        host: options.host,
        port: pgPort,
        access,
        idleMs: pgIdleMs,
        readMs,
        metrics,
        log,
        schemas,
        tls: options.tls,
      };
      wire = await listen(() => startWireServer(db, shared, wireOptions), pgPort, '--pg-port');
    }
    if (db instanceof DirectoryDatabase && relay !== undefined) {
      const postgres = wire === undefined ? undefined : { host: reachable(options.host), port: wire.port };
      await db.lock.announce({ ...relay.address, postgres });
    }
    const { port } = app.server.address() as AddressInfo;
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    state.ready = true;
    options.onListening?.({
      http: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
      postgres: wire === undefined ? null : `postgres://seg_reader@${host}:${wire.port}/postgres`,
    });
    const background = [
      watchDeployments(state, { reload: options.reload, log, signal }),
      keepHouse(db, state, log, signal),
      ...(options.sinks === null ? [] : [serveSinks(state, options.sinks, desk.shifts, log, signal)]),
      ...(options.clockIntervalMs > 0
        ? [
            tickClock(shared.as('clock'), {
              intervalMs: options.clockIntervalMs,
              stateSchema: () => state.stateSchema,
              signal,
              onError: (error) => {
                // Nothing is deployed yet.
                if (error instanceof DatabaseError && /^(42P01|3F000)$/.test(error.sqlstate)) return;
                log.warn(
                  `The clock could not be moved: ${error instanceof Error ? error.message : String(error)}`,
                );
              },
            }),
          ]
        : []),
    ];
    await aborted(signal);
    await Promise.all(background);
  } finally {
    state.ready = false;
    stopWatching?.();
    const closing = app.close();
    await state.drained();
    state.hub.close();
    await relay?.close();
    await wire?.close();
    await Promise.race([closing, sleep(GOODBYE_MS)]);
    app.server.closeAllConnections();
    await closing;
    await stopListening?.();
  }
}

/**
 * Calls `onWritten` when another session of the server may have written: it announces steps of models that somebody follows; for
 * sources there is no such word.
 */
async function followServer(
  db: PostgresDatabase,
  stateSchema: string,
  onWritten: () => void,
): Promise<() => Promise<void>> {
  const stop = await db.listen(quoteIdentifier(stateSchema), onWritten);
  const timer = setInterval(onWritten, 1000);
  return async () => {
    clearInterval(timer);
    await stop();
  };
}

/**
 * Who may come in: HTTP tokens and the Postgres owner's password, from the environment.
 * @throws SegError SEG828 for a host beyond loopback without them, SEG823 for tokens that cannot be read
 */
export function accessOf(options: Pick<ServeOptions, 'env' | 'host' | 'pgPort'>): {
  tokens: Tokens;
  ownerPassword: string | undefined;
} {
  const tokens = new Tokens(options.env['SEG_HTTP_TOKENS']);
  const ownerPassword = nonEmpty(options.env['SEG_PG_PASSWORD']);
  const open = [
    ...(tokens.required ? [] : ['SEG_HTTP_TOKENS']),
    ...(ownerPassword !== undefined || options.pgPort === null ? [] : ['SEG_PG_PASSWORD']),
  ];
  if (!isLoopback(options.host) && open.length > 0) {
    throw segError('SEG828', `refusing to listen on "${options.host}" without ${open.join(' and ')}`, {
      hint: `Set ${open.join(' and ')} in the environment, or listen on 127.0.0.1.`,
    });
  }
  return { tokens, ownerPassword };
}

async function listen<T>(start: () => Promise<T>, port: number, flag: string): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw segError('SEG829', `cannot listen on port ${port}: ${code ?? message}`, {
      hint: `Choose another port with ${flag}.`,
      cause: error,
    });
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

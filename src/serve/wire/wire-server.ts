/** The Postgres port: accepts clients, keeps them apart, carries notifications and cancel requests between them. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { DatabaseError } from '../../engines/connection.ts';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import type { Logger } from '../../log/logger.ts';
import { loadSqlParser } from '../../sql/parse.ts';
import { quoteIdentifier } from '../../sql/quote.ts';
import type { SharedDatabase } from '../engine/shared-database.ts';
import type { Metrics } from '../metrics.ts';
import type { ServerTls } from '../tls.ts';
import { descriptorOf } from './descriptor.ts';
import type { Access } from './login.ts';
import { reachable } from './reachable.ts';
import { WireClient } from './wire-client.ts';
import { WireEngine } from './wire-engine.ts';
import type { WireHost } from './wire-host.ts';

const MAX_CLIENTS = 100;
/** Connections that have not logged in; with more, the oldest gives way. */
const MAX_UNKNOWN = 100;

/** As PostgreSQL's authentication_timeout: from the connection to the end of the login, whatever is sent. */
const LOGIN_MS = 60_000;

/** Settings that the protocol reports at a login. */
const REPORTED = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'application_name',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'is_superuser',
  'session_authorization',
  'standard_conforming_strings',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'search_path',
];

export interface WireServer {
  readonly port: number;
  /** Tells the clients and ends when none is left. */
  close(): Promise<void>;
}

export interface WireServerOptions {
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  readonly idleMs: number;
  readonly readMs: number;
  /** Schemas in which clients find relations without naming them, after "public". */
  readonly schemas: () => Promise<readonly string[]>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Undefined: requests for TLS are declined. */
  readonly tls?: ServerTls;
  /** How long a login may take. */
  readonly loginMs?: number;
}

export async function startWireServer(
  db: PGliteDatabase,
  shared: SharedDatabase,
  options: WireServerOptions,
): Promise<WireServer> {
  await loadSqlParser();
  const clients = new Map<number, WireClient>();
  const engine = new WireEngine(db, () => {
    for (const client of clients.values()) client.engineRestarted();
  });
  await engine.prepareRoles();
  shared.settleWith(() => engine.enter(null));
  const notify = (sender: number, channel: string, payload: string): void => {
    for (const client of clients.values()) client.notify(sender, channel, payload);
  };
  const stopListening = engine.onNotification((channel, payload) => notify(0, channel, payload));
  const host: WireHost = {
    engine,
    access: options.access,
    idleMs: options.idleMs,
    readMs: options.readMs,
    loginMs: options.loginMs ?? LOGIN_MS,
    tls: options.tls,
    takeTurn: (signal) => shared.turns.take('wire', signal),
    written: () => shared.written(),
    othersWait: () => shared.turns.waiting > 0,
    searchPath: async () => {
      const others = (await options.schemas()).filter((schema) => schema !== 'public');
      return ['public', ...others.map(quoteIdentifier)].join(', ');
    },
    hasPlace: () => [...clients.values()].filter((client) => client.known).length < MAX_CLIENTS,
    parameters: () => engine.settings(REPORTED),
    cancel: (pid, secret) => {
      const client = clients.get(pid);
      if (client?.secret === secret) client.cancel();
    },
    notify,
    forget: (client) => {
      clients.delete(client.pid);
      options.metrics.wireClients.set(clients.size);
    },
    counted: (role) => options.metrics.wireStatements.inc({ role }),
    report: (error) =>
      options.log.error(
        `Postgres port: ${error instanceof Error && !(error instanceof DatabaseError) ? error.stack : String(error)}`,
      ),
  };
  let lastPid = 0;
  const server = createServer((socket) => {
    const unknown = [...clients.values()].filter((client) => !client.known);
    if (unknown.length >= MAX_UNKNOWN) unknown[0]!.dropUnknown();
    const client = new WireClient(socket, host, ++lastPid, randomInt(2 ** 31));
    clients.set(client.pid, client);
    options.metrics.wireClients.set(clients.size);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, resolve);
  });
  const { port, address } = server.address() as AddressInfo;
  engine.listenForCancel(
    { fd: descriptorOf(server), host: reachable(address), port, tls: options.tls !== undefined },
    (pid, secret) => host.cancel(pid, secret),
  );
  return {
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const client of clients.values()) client.stop();
      await closed;
      stopListening();
    },
  };
}

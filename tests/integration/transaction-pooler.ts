/**
 * A pooler in transaction mode, as PgBouncer with pool_mode = transaction: one session of the server for all clients, handed to
 * whoever begins a transaction, taken back at its end. Enough of the protocol for what seg sends.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';

export interface Pooler {
  readonly port: number;
  close(): void;
}

export async function startTransactionPooler(upstream: URL): Promise<Pooler> {
  const session = connect(Number(upstream.port), upstream.hostname);
  let owner: Socket | undefined;
  const waiting: (() => void)[] = [];
  const free = (): void => {
    owner = undefined;
    waiting.shift()?.();
  };
  let rest = Buffer.alloc(0);
  let ready = false;
  session.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 1 + rest.readInt32BE(1)) {
      const length = 1 + rest.readInt32BE(1);
      const message = Buffer.from(rest.subarray(0, length));
      rest = rest.subarray(length);
      const type = String.fromCharCode(message[0]!);
      if (ready) owner?.write(message);
      // ReadyForQuery, idle: the session is anybody's.
      if (type === 'Z' && message[5] === 'I'.charCodeAt(0)) {
        ready = true;
        free();
      }
    }
  });
  session.on('error', () => undefined);
  session.write(startup({ user: upstream.username, database: upstream.pathname.slice(1) }));
  const clients = createServer((client) => {
    client.on('error', () => undefined);
    let buffer = Buffer.alloc(0);
    let started = false;
    client.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      if (!started) {
        if (buffer.length < 8 || buffer.length < buffer.readInt32BE(0)) return;
        const length = buffer.readInt32BE(0);
        const code = buffer.readInt32BE(4);
        buffer = buffer.subarray(length);
        if (code === 80877103) {
          client.write('N');
          return;
        }
        started = true;
        // AuthenticationOk, BackendKeyData of the pooler's own, ReadyForQuery.
        client.write(
          Buffer.from([
            82, 0, 0, 0, 8, 0, 0, 0, 0, 75, 0, 0, 0, 12, 0, 0, 1, 0, 0, 0, 0, 1, 90, 0, 0, 0, 5, 73,
          ]),
        );
      }
      if (buffer.length === 0) return;
      const send = buffer;
      buffer = Buffer.alloc(0);
      // Terminate ends the client, not the session.
      if (send[0] === 'X'.charCodeAt(0)) return;
      if (owner === client) session.write(send);
      else if (owner === undefined) {
        owner = client;
        session.write(send);
      } else
        waiting.push(() => {
          owner = client;
          session.write(send);
        });
    });
  }).listen(0, '127.0.0.1');
  await once(clients, 'listening');
  while (!ready) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    port: (clients.address() as AddressInfo).port,
    close: () => {
      clients.close();
      session.destroy();
    },
  };
}

function startup(fields: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('');
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196608, 4);
  return Buffer.concat([head, body]);
}

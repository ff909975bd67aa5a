/** For tests: a project on an engine in memory, and receivers that answer as a test wants. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonRow, JsonValue } from '../changelog/change.ts';
import { Deployer } from '../deploy/deployer.ts';
import { isDeployable } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import { loadFiles } from '../project/fixture.ts';
import type { Project } from '../project/load.ts';
import type { SinkEvent, SinkSummary } from './events.ts';
import { runSinks } from './run-sinks.ts';
import type { RunSinksOptions } from './run-sinks.ts';

export const models: Record<string, string> = {
  'models/sources.yml': `
sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: integer}
          - {name: customer, data_type: text}
          - {name: amount, data_type: numeric}
`,
  'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='customer') }}
select customer, count(*) as orders, sum(amount) as total from {{ source('shop', 'orders') }} group by customer`,
  'models/big.sql': `{{ config(materialized='materialized_view') }}
select customer, amount from {{ source('shop', 'orders') }} where amount >= 100`,
  'tests/none_free.sql': `{{ config(store_failures=true) }} select id from {{ source('shop', 'orders') }} where amount = 0`,
};

/** Loads a project with these sinks (items of the list, as YAML) and deploys it. */
export async function deployWith(
  db: Connection,
  sinks: string,
  options: { files?: Record<string, string>; env?: Record<string, string> } = {},
): Promise<Project> {
  const files = { ...models, 'models/sinks.yml': `sinks:\n${sinks}`, ...options.files };
  const project = await loadFiles(files, { env: options.env ?? {} });
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, project);
    for (const source of Object.values(project.manifest.sources)) await deployer.deploy(source);
    for (const id of project.graph.order()) {
      const node = project.manifest.nodes[id];
      if (node !== undefined && isDeployable(node)) await deployer.deploy(node);
    }
    await deployer.finish();
  });
  return project;
}

/** One run of all sinks, or of one, with its events. */
export async function syncOnce(
  db: Connection,
  project: Project,
  options: Partial<RunSinksOptions> & { sink?: string } = {},
): Promise<{ summaries: Record<string, SinkSummary>; events: SinkEvent[] }> {
  const events: SinkEvent[] = [];
  const select = options.sink === undefined ? undefined : new Set([`sink.${project.name}.${options.sink}`]);
  const summaries = await runSinks(db, project, {
    signal: new AbortController().signal,
    follow: false,
    onEvent: (event) => events.push(event),
    ...(select === undefined ? {} : { select }),
    ...options,
  });
  return { summaries: Object.fromEntries(summaries.map((each) => [each.sink, each])), events };
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: JsonValue;
}

export type Answer = (request: Request, response: ServerResponse, number: number) => void | Promise<void>;

/** An HTTP receiver that keeps what it was sent; `answer` says how it answers, 200 without. */
export class TestReceiver {
  readonly requests: Request[] = [];
  answer: Answer | undefined;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const request: Request = {
          method: incoming.method ?? '',
          path: incoming.url ?? '',
          headers: incoming.headers,
          text,
          body: parseOrNull(text),
        };
        this.requests.push(request);
        if (this.answer === undefined) response.end('ok');
        else
          void Promise.resolve(this.answer(request, response, this.requests.length)).catch(() =>
            response.destroy(),
          );
      });
    });
    // On a slow machine the next request would meet a connection that is just being closed, and count a retry.
    this.#server.keepAliveTimeout = 10 * 60_000;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets what it was sent, and how it was to answer. */
  reset(): void {
    this.requests.length = 0;
    this.answer = undefined;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The changes of all requests, in the order they came. */
  changes(): JsonRow[] {
    return this.requests.flatMap(({ body }) => changesOf(body));
  }
}

export function changesOf(body: JsonValue): JsonRow[] {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return [];
  return Array.isArray(body['changes']) ? (body['changes'] as JsonRow[]) : [body];
}

function parseOrNull(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

export function status(
  response: ServerResponse,
  code: number,
  headers: Record<string, string> = {},
  text = '',
): void {
  response.writeHead(code, headers).end(text);
}

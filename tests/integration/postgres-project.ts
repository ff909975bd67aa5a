/** The project of tests/cli/stream-project.ts on a database of its own of the test server. */
import pg from 'pg';
import { streamProject } from '../cli/stream-project.ts';
import type { TestProject } from '../cli/run-seg.ts';

export interface PostgresProject {
  readonly project: TestProject;
  /** A session on the project's database. */
  connect(): Promise<pg.Client>;
  /** With a difference of what profiles.yml says. */
  profile(fields: Readonly<Record<string, string | number>>): void;
  remove(): Promise<void>;
}

export async function postgresProject(name: string): Promise<PostgresProject> {
  const server = new URL(serverUrl());
  await onServer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await onServer(`CREATE DATABASE "${name}"`);
  const project = streamProject();
  const profile = (fields: Readonly<Record<string, string | number>>): void => {
    const output = {
      type: 'postgres',
      host: server.hostname,
      port: Number(server.port),
      user: server.username,
      dbname: name,
      schema: 'stream',
      threads: 4,
      ...fields,
    };
    const lines = Object.entries(output).map(([key, value]) => `      ${key}: ${JSON.stringify(value)}\n`);
    project.write('profiles.yml', `stream:\n  target: dev\n  outputs:\n    dev:\n${lines.join('')}`);
  };
  profile({});
  return {
    project,
    profile,
    connect: async () => {
      const url = new URL(server);
      url.pathname = `/${name}`;
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      return client;
    },
    remove: async () => {
      project.remove();
      await onServer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    },
  };
}

export function serverUrl(): string {
  const url = process.env['SEG_TEST_POSTGRES'];
  if (url === undefined) throw new Error('run these tests with "npm run test:integration"');
  return url;
}

export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

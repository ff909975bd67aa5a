/** A postgres target of profiles.yml → how to connect, in the words of node-postgres. Field names are dbt's. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { isAbsolute, join } from 'node:path';
import type { PoolConfig } from 'pg';
import { segError } from '../../diagnostics/seg-error.ts';
import type { Target } from '../../project/profiles.ts';

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
const sslModes: readonly SslMode[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

export interface PostgresSettings {
  /** `host:port/database as user`, for messages. */
  readonly place: string;
  readonly pool: PoolConfig;
  /** What each session begins with, as name and value. */
  readonly session: readonly (readonly [name: string, value: string])[];
  /** How often an attempt to connect is repeated when the server cannot be reached. */
  readonly retries: number;
  /** `prefer`: TLS when the server offers it. */
  readonly sslOptional: boolean;
}

/** Where the server is, for applications, which have users and passwords of their own. */
export function connectionUrl({ pool }: PostgresSettings): string {
  const { host = 'localhost', port, database } = pool;
  const name = encodeURIComponent(database ?? '');
  if (host.startsWith('/')) return `postgres:///${name}?host=${encodeURIComponent(host)}&port=${port}`;
  return `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${name}`;
}

/**
 * @param root the project's folder: relative certificate files are looked up there
 * @throws SegError SEG814 for an unknown `sslmode` or a certificate file that cannot be read
 */
export function postgresSettings(
  target: Target,
  options: { readonly root: string; readonly command: string },
): PostgresSettings {
  const { fields } = target;
  const text = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = fields[name];
      if (typeof value === 'string' && value !== '') return value;
      if (typeof value === 'number') return String(value);
    }
    return undefined;
  };
  const number = (name: string): number | undefined =>
    typeof fields[name] === 'number' ? fields[name] : undefined;
  const host = text('host') ?? 'localhost';
  const port = number('port') ?? defaultPorts[target.type];
  const user = text('user', 'username');
  const mode = sslMode(target);
  const overSocket = host.startsWith('/');
  const file = (name: string): string | undefined => {
    const path = text(name);
    if (path === undefined) return undefined;
    return readCertificate(isAbsolute(path) ? path : join(options.root, path), name, target);
  };
  const certificates = { ca: file('sslrootcert'), cert: file('sslcert'), key: file('sslkey') };
  const timeout = text('statement_timeout');
  return {
    place: `${overSocket ? host : `${host}:${port}`}/${target.database}${user === undefined ? '' : ` as ${user}`}`,
    pool: {
      host,
      port,
      user,
      password: text('password', 'pass'),
      database: target.database,
      // Several nodes, feeds and sinks at once; a transaction holds one of them.
      max: Math.max(target.threads, 4) + 6,
      connectionTimeoutMillis: 1000 * (number('connect_timeout') ?? 10),
      keepAlive: true,
      keepAliveInitialDelayMillis: 1000 * (number('keepalives_idle') ?? 0),
      application_name: text('application_name') ?? options.command,
      ssl: overSocket || mode === 'disable' ? false : tlsOptions(mode, host, certificates),
    },
    session: [
      // A deployment must see what was committed while it waited for its locks.
      ['default_transaction_isolation', 'read committed'],
      ['standard_conforming_strings', 'on'],
      // What seg asks of the catalog looks costly and is not: compiling it takes a hundred times as long as running it.
      ['jit', 'off'],
      ['TimeZone', 'UTC'],
      ['DateStyle', 'ISO, MDY'],
      ['IntervalStyle', 'postgres'],
      ['extra_float_digits', '1'],
      ['client_min_messages', 'warning'],
      ...(timeout === undefined ? [] : [['statement_timeout', timeout] as const]),
      ...(text('role') === undefined ? [] : [['role', text('role')!] as const]),
      ...(text('search_path') === undefined ? [] : [['search_path', text('search_path')!] as const]),
    ],
    retries: number('retries') ?? 1,
    sslOptional: mode === 'prefer' || mode === 'allow',
  };
}

const defaultPorts = { pglite: 5432, postgres: 5432, risingwave: 4566, materialize: 6875 } as const;

function sslMode(target: Target): SslMode {
  const written = target.fields['sslmode'] ?? 'prefer';
  const mode = sslModes.find((known) => known === written);
  if (mode !== undefined) return mode;
  throw segError('SEG814', `unknown sslmode ${JSON.stringify(written)} in target "${target.name}"`, {
    hint: `Choose one of ${sslModes.join(', ')}.`,
  });
}

/** libpq's meaning: up to `require` the certificate is not checked, `verify-ca` checks who signed it, `verify-full` the host's name too. */
function tlsOptions(
  mode: SslMode,
  host: string,
  certificates: { readonly ca?: string; readonly cert?: string; readonly key?: string },
): TlsOptions {
  const checked = mode === 'verify-ca' || mode === 'verify-full' || certificates.ca !== undefined;
  return {
    ...certificates,
    servername: host,
    rejectUnauthorized: checked,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function readCertificate(path: string, field: string, target: Target): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw segError(
      'SEG814',
      `cannot read "${field}" of target "${target.name}": ${(error as Error).message}`,
      {
        hint: 'Give the path of a PEM file, absolute or relative to the project.',
        cause: error,
      },
    );
  }
}

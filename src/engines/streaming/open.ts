/** Connections to RisingWave and Materialize, over PostgreSQL's protocol. */
import { SegError, segError } from '../../diagnostics/seg-error.ts';
import type { Target } from '../../project/profiles.ts';
import { quoteText } from '../../sql/quote.ts';
import type { PostgresDatabase } from '../postgres/connection.ts';
import { openPool } from '../postgres/open.ts';
import { connectError } from '../postgres/connect-errors.ts';
import { postgresSettings } from '../postgres/settings.ts';

/** Statements that begin a session; each is sent alone. */
export function sessionStatements(target: Target): string[] {
  const { fields, schema } = target;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  const timeout = text('statement_timeout');
  const shared = timeout === undefined ? [] : [`SET statement_timeout = ${quoteText(timeout)}`];
  if (target.type === 'materialize') {
    const cluster = text('cluster');
    return [
      `SET search_path = ${quoteText(schema)}`,
      ...(cluster === undefined ? [] : [`SET cluster = ${quoteText(cluster)}`]),
      ...shared,
    ];
  }
  const settings = [
    'streaming_parallelism',
    'streaming_parallelism_for_backfill',
    'streaming_max_parallelism',
  ];
  return [
    `SET search_path = ${quoteText(schema)}`,
    // Days are added to the clock in this zone; only in one without summer time is the result ever growing, which a
    // condition on now() must be. It is the default, unless somebody has changed that.
    "SET timezone = 'UTC'",
    // A view that takes long to fill survives its session then, and its progress can be asked for.
    'SET background_ddl = true',
    ...settings.flatMap((name) => {
      const value = text(name);
      return value === undefined ? [] : [`SET ${name} = ${/^\d+$/.test(value) ? value : quoteText(value)}`];
    }),
    ...shared,
  ];
}

/**
 * @throws SegError SEG811..SEG814, SEG816 as for PostgreSQL; SEG822 when something else answers there
 */
export async function openStreaming(
  target: Target,
  options: { readonly root: string; readonly command: string },
): Promise<PostgresDatabase> {
  const settings = postgresSettings(target, options);
  const title = target.type === 'risingwave' ? 'RisingWave' : 'Materialize';
  const refused = (error: unknown): unknown => loginError(error, target, settings.place);
  // Asked by a session without settings of its own: another server does not know them.
  const probe = await openPool(target, settings, []).catch((error: unknown) => {
    throw refused(error);
  });
  const version = await probe
    .query<{ version: string }>('SELECT version() AS version')
    .then(
      ({ rows }) => rows[0]!.version,
      (error: unknown) => {
        throw connectError(refused(error), target.name, settings.place);
      },
    )
    .finally(() => probe.close());
  const database = await openPool(target, settings, sessionStatements(target));
  try {
    if (version.toLowerCase().includes(title.toLowerCase())) {
      refuseOld(version, target, settings.place);
      // The first session with the settings of the target: what is wrong with them is told here.
      await database.query('SELECT version() AS version');
      return database;
    }
    throw segError(
      'SEG822',
      `target "${target.name}" (${settings.place}) is not ${title}: it says "${version}"`,
      {
        hint: `Change "type" in profiles.yml, or "host" and "port". ${title} listens on ${target.type === 'risingwave' ? 4566 : 6875} by default.`,
        exitCode: 1,
      },
    );
  } catch (error) {
    await database.close();
    throw connectError(error, target.name, settings.place);
  }
}

/** RisingWave says XX000 of a login that it refuses; its words tell which (frontend/src/session.rs, pg_protocol.rs). */
function loginError(error: unknown, target: Target, place: string): unknown {
  const cause = error instanceof SegError ? error.cause : error;
  const message = cause instanceof Error ? cause.message : '';
  const sqlstate =
    /Invalid password|not allowed to login|CONNECT privilege|Permission denied|authentication failed/i.test(
      message,
    )
      ? '28P01'
      : /(Role|User) \S+ (does not exist|not found)|role .* does not exist/i.test(message)
        ? '28000'
        : /database .*not found|Not found database|database .* does not exist/i.test(message)
          ? '3D000'
          : undefined;
  if (sqlstate === undefined) return error;
  const told =
    message
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .at(-1) ?? message;
  return connectError(Object.assign(new Error(told), { code: sqlstate }), target.name, place);
}

/** SWAP of materialized views is there since RisingWave 2.2. @throws SegError SEG815 */
function refuseOld(version: string, target: Target, place: string): void {
  const release = /RisingWave-(\d+)\.(\d+)/.exec(version);
  if (release === null) return;
  const [major, minor] = release.slice(1).map(Number) as [number, number];
  if (major > 2 || (major === 2 && minor >= 2)) return;
  throw segError('SEG815', `target "${target.name}" (${place}) is RisingWave ${major}.${minor}`, {
    hint: 'seg needs RisingWave 2.2 or newer.',
    exitCode: 1,
  });
}

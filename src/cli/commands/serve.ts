import type { CommandHandler } from '../command-definition.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { loadProject } from '../../project/load.ts';
import { loadOptions, openProject } from '../open-project.ts';
import { selectNodes } from '../selection.ts';
import { connectionUrl, postgresSettings } from '../../engines/postgres/settings.ts';
import type { Connection, Database } from '../../engines/connection.ts';
import type { Project } from '../../project/load.ts';
import type { SourceNode } from '../../project/nodes.ts';
import type { ServeOptions } from '../../serve/serve.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import type { CommandContext } from '../context.ts';
import { withDatabase } from '../with-database.ts';
import { replicaListener, withReplica } from '../with-replica.ts';

/** `seg serve`: until Ctrl-C. */
export const serve: CommandHandler = async (context) => {
  const { flags, log, signal } = context;
  const port = portOf(flags.integer('port'), '--port');
  const askedPgPort = flags.boolean('pg') ? portOf(flags.integer('pg-port'), '--pg-port') : null;
  const idleSeconds = flags.integer('pg-idle-timeout') ?? 30;
  if (idleSeconds < 1) {
    throw segError('SEG903', `wrong value "${idleSeconds}" for --pg-idle-timeout`, {
      hint: 'It takes seconds from 1.',
    });
  }
  const readSeconds = flags.integer('read-timeout') ?? 30;
  if (readSeconds < 0 || readSeconds > 86_400) {
    throw segError('SEG903', `wrong value "${readSeconds}" for --read-timeout`, {
      hint: 'It takes seconds up to 86400, or 0 for no limit.',
    });
  }
  const clockSeconds = Number(flags.string('clock-interval'));
  if (!(clockSeconds === 0 || (clockSeconds >= 0.05 && clockSeconds <= 3600))) {
    throw segError('SEG903', `wrong value "${flags.string('clock-interval')}" for --clock-interval`, {
      hint: 'It takes seconds from 0.05 to 3600, or 0 for a clock that stands.',
    });
  }
  const maxPending = flags.integer('max-pending') ?? 50_000;
  if (maxPending < 1) {
    throw segError('SEG903', `wrong value "${maxPending}" for --max-pending`, {
      hint: 'It takes a number from 1.',
    });
  }
  const [cert, key] = [flags.string('tls-cert'), flags.string('tls-key')];
  if ((cert === undefined) !== (key === undefined)) {
    throw segError(
      'SEG903',
      `--tls-${cert === undefined ? 'key' : 'cert'} needs --tls-${cert === undefined ? 'cert' : 'key'}`,
      {
        hint: 'A certificate and its key are given together.',
      },
    );
  }
  const project = await openProject(context, { writeManifest: false });
  const isServer = project.target.type === 'postgres';
  const server = isServer
    ? connectionUrl(postgresSettings(project.target, { root: project.root, command: 'seg serve' }))
    : undefined;
  if (server !== undefined && flags.given('pg-port')) {
    throw segError(
      'SEG929',
      `"--pg-port" is for an embedded database; target "${project.target.name}" is a PostgreSQL server`,
      {
        hint: `Let applications connect to that server, with the rights that it gives them: ${server}`,
      },
    );
  }
  const pgPort = isServer ? null : askedPgPort;
  const { accessOf, serve: serveDatabase } = await import('../../serve/serve.ts');
  const { ServerTls } = await import('../../serve/tls.ts');
  const host = flags.string('host') ?? '127.0.0.1';
  // Before the database is opened: a mistake of the command line is told at once.
  accessOf({ host, pgPort, env: context.env });
  const options = {
    host,
    port,
    pgPort,
    pgIdleMs: idleSeconds * 1000,
    readMs: readSeconds * 1000,
    clockIntervalMs: Math.round(clockSeconds * 1000),
    maxPending,
    sinks: flags.boolean('sinks')
      ? (current: Project) =>
          new Set(selectNodes(context, current, ['sink'], { indirectSelection: 'empty' }).keys())
      : null,
    tls: cert === undefined || key === undefined ? undefined : new ServerTls({ cert, key }),
    env: context.env,
    log,
    version: context.version,
    signal,
    reload: () => loadProject(loadOptions(context)),
    onListening: (address: { readonly http: string; readonly postgres: string | null }) => {
      log.info(`Serving ${project.name} on ${address.http}`, { name: 'ServerListening', data: address });
      if (server !== undefined) {
        log.info(`Postgres protocol: applications connect to the server of the target itself: ${server}`);
      } else if (address.postgres !== null) log.info(`Postgres protocol, for reading: ${address.postgres}`);
    },
  };
  if (dialectOf(project.target) === undefined) {
    const { replacePrograms, replacedText } = await import('../../deploy/replace-programs.ts');
    const serveAll = async (db: Database): Promise<void> => {
      const outdated = await replacePrograms(db, project);
      if (outdated.length > 0) log.info(replacedText(outdated));
      await serveDatabase(db, project, options);
    };
    await withDatabase(context, project, serveAll, { alone: true, serves: true });
  } else await serveCopy(context, project, options, serveDatabase);
  log.info('Stopped');
  return 0;
};

/** On a streaming engine: a copy of its views is served, which feeds keep up to date; records go into the engine. */
async function serveCopy(
  context: CommandContext,
  project: Project,
  options: ServeOptions,
  serveDatabase: (db: Database, project: Project, options: ServeOptions) => Promise<void>,
): Promise<void> {
  await withReplica(context, project, null, async (db, replica, engine) => {
    const gap = replicaListener(context);
    await replica.catchUp({ ...gap, signal: options.signal });
    if (options.signal.aborted) return;
    const { streamingDoor } = await import('../../streaming/record-door.ts');
    const { REPLICA_SCHEMA } = await import('../../streaming/replica/replica-project.ts');
    const intake = {
      project,
      door: (source: SourceNode) => streamingDoor(engine, project, source, 'seg serve')!,
      hides: ({ schema }: { readonly schema: string }) => schema === REPLICA_SCHEMA,
    };
    // Whichever ends first ends the other: a copy that is not kept up to date is not served.
    const stop = new AbortController();
    const signal = AbortSignal.any([options.signal, stop.signal]);
    let feeds: Promise<void> | undefined;
    const onShared = (shared: Connection): void => {
      feeds = replica.follow({ ...gap, signal, db: shared }).finally(() => stop.abort());
      // Awaited below; until then its failure must not end the process.
      feeds.catch(() => {});
    };
    const served = { ...options, signal, clockIntervalMs: 0, intake, onShared };
    try {
      await serveDatabase(db, replica.project, served);
    } finally {
      stop.abort();
      await feeds;
    }
  });
}

function portOf(port: number | undefined, flag: string): number {
  if (port !== undefined && port >= 0 && port <= 65535) return port;
  throw segError('SEG903', `wrong value "${port}" for ${flag}`, { hint: 'It takes a port from 0 to 65535.' });
}

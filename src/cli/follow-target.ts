/** Following a model on whatever engine the target names. */
import { segError } from '../diagnostics/seg-error.ts';
import type { Database } from '../engines/connection.ts';
import { dataDirectory } from '../engines/registry.ts';
import { followDirectory } from '../feeds/follow.ts';
import type { FollowOptions } from '../feeds/follow.ts';
import type { FeedItem } from '../feeds/hub.ts';
import type { Project } from '../project/load.ts';
import type { CommandContext } from './context.ts';

/** @param model its unique_id */
export async function* followTarget(
  context: CommandContext,
  project: Project,
  model: string,
  options: FollowOptions,
): AsyncGenerator<FeedItem> {
  const { target, root } = project;
  const opening = { root, command: `seg ${context.command}` };
  if (target.type === 'risingwave' || target.type === 'materialize') {
    const { openStreaming } = await import('../engines/streaming/open.ts');
    const { followStreaming } = await import('../streaming/follow.ts');
    const db = await openStreaming(target, opening);
    try {
      yield* followStreaming(db, project, model, options);
    } finally {
      await db.close();
    }
    return;
  }
  if (target.type !== 'postgres') {
    yield* followDirectory(dataDirectory(target, root), project, model, options);
    return;
  }
  const { openPostgres } = await import('../engines/postgres/open.ts');
  const { followServer } = await import('../feeds/follow-server.ts');
  const db = await openPostgres(target, opening);
  try {
    yield* followServer(db, project, model, options);
  } finally {
    await db.close();
  }
}

/** A query as if it were a model, for as long as it is followed. */
export async function* followInline(
  context: CommandContext,
  project: Project,
  sql: string,
  options: FollowOptions,
): AsyncGenerator<FeedItem> {
  const { createInlineModel, INLINE_FILE } = await import('../feeds/inline-model.ts');
  context.sources.use(project.root, new Map([...project.files, [INLINE_FILE, sql]]));
  const { target, root } = project;
  if (target.type === 'risingwave' || target.type === 'materialize') {
    const { openStreaming } = await import('../engines/streaming/open.ts');
    const { followInlineStreaming } = await import('../streaming/follow-inline.ts');
    const engine = await openStreaming(target, { root, command: `seg ${context.command}` });
    try {
      yield* followInlineStreaming(engine, project, sql, options);
    } finally {
      await engine.close();
    }
    return;
  }
  const db = await openForInline(context, project);
  try {
    const model = await createInlineModel(db, project, sql);
    try {
      yield* followTarget(context, project, model.uniqueId, options);
    } finally {
      await model.drop();
    }
  } finally {
    await db.close();
  }
}

async function openForInline(context: CommandContext, project: Project): Promise<Database> {
  const { target, root } = project;
  const command = `seg ${context.command}`;
  if (target.type === 'postgres') {
    const { openPostgres } = await import('../engines/postgres/open.ts');
    return openPostgres(target, { root, command });
  }
  if (target.type === 'pglite') {
    const { findServer, openServed } = await import('../engines/pglite/served.ts');
    const server = await findServer(dataDirectory(target, root));
    if (server !== undefined) return openServed(server, command);
  }
  throw segError(
    'SEG716',
    'a query can be followed while a server keeps it up to date, and none is running',
    {
      hint: 'Run "seg serve" in another terminal first.',
      exitCode: 1,
    },
  );
}

import type { FastifyInstance } from 'fastify';
import { readClock } from '../../clock/clock.ts';
import { currentPosition } from '../../feeds/feed.ts';
import { epochOf } from '../../feeds/position.ts';
import { openApi } from '../openapi.ts';
import type { ServerState } from '../server-state.ts';

/** Liveness, readiness, metrics and the description of the interface. */
export function statusRoutes(app: FastifyInstance, state: ServerState, version: string): void {
  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    if (!state.ready) return reply.code(503).send({ status: 'stopping' });
    const position = await currentPosition(state.shared.as('read'), state.stateSchema).catch(() => null);
    if (position === null) return reply.code(503).send({ status: 'nothing is deployed' });
    return { status: 'ready', position };
  });

  app.get('/metrics', { config: { action: 'admin' } }, async (_request, reply) => {
    await gather(state);
    return reply.type(state.metrics.registry.contentType).send(await state.metrics.registry.metrics());
  });

  app.get('/openapi.json', { config: { action: 'read' } }, async () =>
    openApi(state.sourcesOf, await state.deployed(), version),
  );
}

/** Figures that are asked for when they are shown. */
async function gather({ shared, metrics, hub, stateSchema }: ServerState): Promise<void> {
  metrics.waiting.set(shared.turns.waiting);
  metrics.feedFollowers.set(hub.followers);
  const db = shared.as('read');
  const clock = await readClock(db, stateSchema);
  if (clock === null) return;
  metrics.clockLag.set((Date.now() - Date.parse(clock)) / 1000);
  metrics.position.set(Number(epochOf(await currentPosition(db, stateSchema))));
}

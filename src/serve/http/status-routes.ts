import type { FastifyInstance } from 'fastify';
import { readClock } from '../../clock/clock.ts';
import { currentPosition } from '../../feeds/feed.ts';
import { epochOf } from '../../feeds/position.ts';
import { documentOf } from '../openapi/document.ts';
import type { OpenApi } from '../openapi/document.ts';
import type { ServerState } from '../server-state.ts';
import { answer, failures, object, OF_DATABASE } from './answers.ts';

/** Liveness, readiness, metrics and the description of the interface. */
export function statusRoutes(app: FastifyInstance, state: ServerState): void {
  const healthy = {
    summary: 'Whether the process lives',
    response: { 200: answer('It does.', object({ status: { enum: ['ok'] } })) },
  };
  app.get('/healthz', { schema: healthy }, async () => ({ status: 'ok' }));

  const ready = {
    summary: 'Whether it can take records and answer reads',
    response: {
      200: answer('It can.', object({ status: { enum: ['ready'] }, position: { type: 'string' } })),
      503: answer('It stops, or nothing is deployed.', {
        anyOf: [object({ status: { type: 'string' } }), { $ref: 'Error#' }],
      }),
    },
  };
  app.get('/readyz', { schema: ready }, async (_request, reply) => {
    if (!state.ready) return reply.code(503).send({ status: 'stopping' });
    const position = await currentPosition(state.shared.as('read'), state.stateSchema).catch(() => null);
    if (position === null) return reply.code(503).send({ status: 'nothing is deployed' });
    return { status: 'ready', position };
  });

  const metrics = {
    summary: "Figures in Prometheus' text format",
    response: {
      200: { description: 'The figures.', content: { 'text/plain': { schema: { type: 'string' } } } },
      ...failures(...OF_DATABASE),
    },
  };
  app.get('/metrics', { config: { action: 'admin' }, schema: metrics }, async (_request, reply) => {
    await gather(state);
    return reply.type(state.metrics.registry.contentType).send(await state.metrics.registry.metrics());
  });

  const described = {
    summary: 'This document',
    response: { 200: answer('OpenAPI 3.1.', { type: 'object' }), ...failures(...OF_DATABASE) },
  };
  app.get('/openapi.json', { config: { action: 'read' }, schema: described }, async () =>
    documentOf(app.swagger() as unknown as OpenApi, state.sourcesOf, await state.deployed()),
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

import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from '../../log/logger.ts';
import type { ServerState } from '../server-state.ts';
import type { ServerTls } from '../tls.ts';
import type { Action, Tokens } from '../tokens.ts';
import { addCommonFailures, shareSchemas } from './answers.ts';
import { feedRoutes } from './feed-routes.ts';
import { ingestRoutes, MAX_JSON_BYTES } from './ingest-routes.ts';
import { ingestSocket } from './ingest-socket.ts';
import { modelRoutes } from './model-routes.ts';
import { rejectedRoutes } from './rejected-routes.ts';
import { problemOf, sendProblem } from './problems.ts';
import type { Problem } from './problems.ts';
import { segmentWebhook } from './segment-webhook.ts';
import { statusRoutes } from './status-routes.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a token needs; absent: open to everybody. */
    action?: Action;
    /** The parameter that names the source or model, for narrowed scopes. */
    object?: 'source' | 'model';
  }
}

export interface AppOptions {
  readonly state: ServerState;
  readonly tokens: Tokens;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly tls?: ServerTls;
}

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { state, tokens, log, tls } = options;
  const app = Fastify({
    logger: false,
    ...(tls === undefined ? {} : { serverFactory: secure(tls) }),
    bodyLimit: MAX_JSON_BYTES,
    // Sources and models may have dots and long keys in their paths.
    routerOptions: { maxParamLength: 1000 },
    forceCloseConnections: 'idle',
    // By the hook below, in the shape of all failures; as are requests that are not HTTP.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    // What cannot be routed is answered in the same shape as everything else.
    frameworkErrors: (error, _request, reply) => {
      const { status, problem } = problemOf(error);
      void sendProblem(reply, status, problem);
    },
  });
  await app.register(websocket, { options: { maxPayload: MAX_JSON_BYTES } });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'seg',
        version: options.version,
        description: 'Records in, views and their changes out.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (schema) => schema.$id as string },
  });
  app.addHook('onRoute', (route) => addCommonFailures(route, tokens.required));
  shareSchemas(app);
  // Schemas say what there is. Routes check what they are given in the words of seg, and write what they answer themselves.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  // Bodies are read by the routes themselves, as streams.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    if (closing) {
      void reply.header('retry-after', '1');
      return sendProblem(reply, 503, { code: '57P01', message: 'the server is stopping' });
    }
    if (!tokens.required && !isLocalHost(request.headers.host)) {
      // A page from elsewhere whose name was pointed at this machine (DNS rebinding).
      return sendProblem(reply, 403, {
        code: 'SEG834',
        message: 'this server answers to loopback names only',
      });
    }
    if (request.ws && !tokens.required && request.headers.origin !== undefined && !isLocalOrigin(request)) {
      return sendProblem(reply, 403, {
        code: 'SEG834',
        message: 'this server answers pages of its own host only',
      });
    }
    const { action, object } = request.routeOptions.config;
    if (action === undefined) return;
    const name = object === undefined ? undefined : (request.params as Record<string, string>)[object];
    const names = name === undefined || !tokens.required ? [] : await state.namesOf(object!, name);
    const verdict = tokens.check(request.headers.authorization, action, names);
    if (verdict === 'allowed') return;
    if (verdict === 'unknown') {
      void reply.header('www-authenticate', 'Bearer');
      return sendProblem(reply, 401, { code: 'SEG835', message: 'a valid bearer token is needed' });
    }
    return sendProblem(reply, 403, { code: 'SEG836', message: `the token does not allow to ${action} here` });
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { route, method: request.method, status: String(reply.statusCode) };
    state.metrics.httpSeconds.observe(labels, reply.elapsedTime / 1000);
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, problem } = problemOf(error);
    // A client that has gone is told nothing, and nobody needs to hear of it.
    if (status >= 500 && !request.raw.destroyed)
      log.error(`HTTP request failed: ${error instanceof Error ? error.message : String(error)}`);
    if (status === 503) void reply.header('Retry-After', '1');
    return sendProblem(reply, status, problem);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, 404, noSuchPath(request)));
  const methods = collectMethods(app);

  ingestRoutes(app, state);
  ingestSocket(app, state);
  rejectedRoutes(app, state);
  segmentWebhook(app, state, options.env);
  modelRoutes(app, state);
  feedRoutes(app, state);
  statusRoutes(app, state);
  refuseOtherMethods(app, methods);
  return app;
}

function noSuchPath(request: FastifyRequest): Problem {
  return {
    code: 'SEG827',
    message: `there is no ${request.method} ${request.url.split('?')[0]}`,
    hint: 'GET /openapi.json says what there is.',
  };
}

/** The methods of each path, as its routes are added. */
function collectMethods(app: FastifyInstance): Map<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    methods.set(url, known);
    for (const one of [method].flat()) known.add(one);
  });
  return methods;
}

/** 405 and which there are, for those that a path does not have. */
function refuseOtherMethods(app: FastifyInstance, methods: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, known] of [...methods]) {
    const allow = [...known].join(', ');
    const refuse = (request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply.header('allow', allow), 405, noSuchPath(request));
    app.route({
      url,
      method: app.supportedMethods.filter((method) => !known.has(method)),
      schema: { hide: true },
      // Before the body is looked at, of which a method may ask something.
      onRequest: async (request, reply) => refuse(request, reply),
      handler: refuse,
    });
  }
}

/** What is no HTTP, or has too long a head, is answered in the shape of all failures too. */
/** HTTPS, of which all the rest makes no difference. */
function secure(tls: ServerTls): (handler: RequestListener) => Server {
  return (handler) => {
    const server = createSecureServer({ ...tls.pem, minVersion: 'TLSv1.2' }, handler);
    tls.onRenewed(() => server.setSecureContext({ ...tls.pem, minVersion: 'TLSv1.2' }));
    return server;
  };
}

function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const status = STATUS_OF_CONNECTION[error.code ?? ''] ?? 400;
  const problem: Problem = { code: error.code ?? 'HTTP', message: error.message };
  const body = JSON.stringify({ error: problem });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const STATUS_OF_CONNECTION: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

function isLocalHost(host: string | undefined): boolean {
  return host === undefined || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(host);
}

function isLocalOrigin(request: FastifyRequest): boolean {
  try {
    return isLocalHost(new URL(request.headers.origin!).host);
  } catch {
    return false;
  }
}

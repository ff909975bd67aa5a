// A small receiver for the project's sinks: it counts what it is sent, keeps the last of it, and answers as each expects.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers';

/** @param options.delayMs how long each answer takes */
export async function startReceiver({ port = 4599, delayMs = () => 0 } = {}) {
  const paths = new Map();
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const body = JSON.parse(text || '{}');
      const seen = paths.get(request.url) ?? { requests: 0, records: 0, bytes: 0, last: null };
      paths.set(request.url, seen);
      seen.requests++;
      seen.records += body.changes?.length ?? body.inputs?.length ?? 1;
      seen.bytes += text.length;
      seen.last = body;
      const answer = () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ results: (body.inputs ?? []).map(({ id }) => ({ id })) }));
      };
      const wait = delayMs(request.url);
      if (wait > 0) setTimeout(answer, wait);
      else answer();
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    paths,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

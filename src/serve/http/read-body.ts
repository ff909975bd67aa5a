import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream';

/** A body that no request may have. */
export class BodyTooLarge extends Error {}

/** A body that would be taken at another moment: those of other requests are held. */
export class BodiesHeld extends Error {}

/** Bytes of bodies that are held at the moment, of all requests together, as they are after gunzip. */
export class HeldBytes {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws BodiesHeld */
  take(bytes: number): void {
    if (this.#held + bytes > this.#limit) throw new BodiesHeld();
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** The body as it was before `Content-Encoding: gzip`; null for an encoding that is not understood. */
export function plainBody(request: IncomingMessage): Readable | null {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return request;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return null;
  const gunzip = createGunzip();
  pipeline(request, gunzip, () => {
    // The reader of gunzip gets the error.
  });
  return gunzip;
}

/**
 * Reads all of a body. `read` makes something of its bytes, which are then let go of; it counts as held while `use` works with that.
 * @param limit the most bytes, after gunzip
 * @throws BodyTooLarge, BodiesHeld, and what gunzip throws
 */
export async function withBody<R, T>(
  body: Readable,
  limit: number,
  held: HeldBytes,
  read: (bytes: Buffer) => R,
  use: (found: R) => Promise<T>,
): Promise<T> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (size + chunk.length > limit) throw new BodyTooLarge(`the body is larger than ${limit} bytes`);
      held.take(chunk.length);
      size += chunk.length;
      chunks.push(chunk);
    }
    return await use(read(Buffer.concat(chunks.splice(0), size)));
  } finally {
    held.give(size);
  }
}

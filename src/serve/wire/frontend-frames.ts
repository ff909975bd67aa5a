/**
 * Bytes of a client → messages of the Postgres protocol, version 3
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */

/** A message as it came, with its type byte and length; `body` is what follows them. */
export interface Frame {
  /** One letter; empty for the first message, which has no type. */
  readonly type: string;
  readonly bytes: Buffer;
  readonly body: Buffer;
}

/** What a client sends is no message of the protocol. The connection cannot go on. */
export class ProtocolViolation extends Error {}

const MAX_STARTUP = 10_000;
/** As PostgreSQL: what comes before a client is known. */
export const MAX_LOGIN_MESSAGE = 65_535;
export const MAX_MESSAGE = 256 * 1024 * 1024;

export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Before the first message, messages have no type byte. */
  started = false;
  /** The longest message that is taken, once there are types. */
  limit = MAX_LOGIN_MESSAGE;

  /** Bytes held that are no whole message yet. */
  get size(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole message; undefined while there is none. @throws ProtocolViolation */
  next(): Frame | undefined {
    const prefix = this.started ? 1 : 0;
    if (this.#size < prefix + 4) return undefined;
    const head = this.#peek(prefix + 4);
    const length = head.readUInt32BE(prefix);
    const limit = this.started ? this.limit : MAX_STARTUP;
    if (length < 4 || length > limit) throw new ProtocolViolation(`invalid message length ${length}`);
    if (this.#size < prefix + length) return undefined;
    const bytes = this.#take(prefix + length);
    return {
      type: this.started ? String.fromCharCode(bytes[0]!) : '',
      bytes,
      body: bytes.subarray(prefix + 4),
    };
  }

  #peek(count: number): Buffer {
    if (this.#chunks[0]!.length < count) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #take(count: number): Buffer {
    this.#size -= count;
    const first = this.#chunks[0]!;
    if (first.length < count) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = all.length > count ? [all.subarray(count)] : [];
      return all.subarray(0, count);
    }
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    return first.subarray(0, count);
  }
}

/** The text up to the next zero byte, and where what follows begins. @throws ProtocolViolation */
export function readText(body: Buffer, at: number): [text: string, next: number] {
  const end = body.indexOf(0, at);
  if (end === -1) throw new ProtocolViolation('a text in a message does not end');
  return [body.toString('utf8', at, end), end + 1];
}

/** A message with these parts as its body. Texts get their closing zero byte. */
export function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`, 'utf8') : part));
  const length = body.reduce((sum, part) => sum + part.length, 4);
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 'latin1');
  head.writeUInt32BE(length, type.length);
  return Buffer.concat([head, ...body]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

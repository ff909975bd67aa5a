import type { BackendMessage } from './backend-messages.ts';

/** Rows and COPY data, which go to the client as they are. */
const PASSED = new Set(['D'.charCodeAt(0), 'd'.charCodeAt(0)]);

/** Bytes of the engine → its messages; rows and COPY data that follow each other come as one piece, whose type is that of the first. */
export class BackendReader {
  #parts: Buffer[] = [];
  #size = 0;
  /** How much there must be for the next message to be whole, as far as that is known. */
  #need = 5;

  *push(chunk: Buffer): Generator<BackendMessage> {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#need) return;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#size);
    let at = 0;
    while (bytes.length - at >= 5) {
      const begin = at;
      const type = bytes[at]!;
      do at += 1 + bytes.readUInt32BE(at + 1);
      while (PASSED.has(type) && bytes.length - at >= 5 && bytes[at] === type);
      if (at > bytes.length) {
        at = lastWhole(bytes, begin);
        if (at > begin) yield piece(type, bytes.subarray(begin, at));
        break;
      }
      yield piece(type, bytes.subarray(begin, at));
    }
    const rest = bytes.subarray(at);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    this.#need = rest.length >= 5 ? 1 + rest.readUInt32BE(1) : 5;
  }
}

/** Where the last message ends that is whole; `begin` when none is. */
function lastWhole(bytes: Buffer, begin: number): number {
  let at = begin;
  while (bytes.length - at >= 5) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    at = end;
  }
  return at;
}

function piece(type: number, bytes: Buffer): BackendMessage {
  return { type: String.fromCharCode(type), bytes, body: bytes.subarray(5) };
}

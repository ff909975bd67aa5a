import { Buffer } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { decodeUtf8, notUtf8 } from './utf8.ts';

/** One line of text without its end (`\n` or `\r\n`), counted from 1. */
export interface TextLine {
  readonly line: number;
  readonly text: string;
  /** Why the line is no text to go on with (not UTF-8, too long); `text` is then as much of it as can be shown. */
  readonly problem?: string;
}

export interface LineOptions {
  /** Longer lines are not kept in memory; they are reported and skipped. */
  readonly maxLineBytes?: number;
  /** Hand on blank lines too, and keep the `\r` before a `\n`: inside a quoted CSV field both are data. */
  readonly verbatim?: boolean;
}

export type TextInput = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const SHOWN_BYTES = 4096;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Lines of an input in the order they come, in arrays as they arrive (one array a chunk, so a slow pipe is not held
 * up). gzip is recognised by its first bytes, a byte order mark is dropped, and a last line may lack its newline.
 * Lines of nothing but white space are counted but not handed on. Throws what the input or gunzip throws.
 */
export async function* readLines(input: TextInput, options: LineOptions = {}): AsyncGenerator<TextLine[]> {
  const maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
  const verbatim = options.verbatim ?? false;
  let line = 1;
  let parts: Buffer[] = [];
  let pending = 0;
  let overlong: Buffer | null = null;

  const finish = (lines: TextLine[]): void => {
    if (overlong !== null) {
      lines.push({
        line,
        text: printable(overlong),
        problem: `the line is longer than ${maxLineBytes} bytes`,
      });
    } else {
      decodeInto(lines, Buffer.concat(parts, pending), line, verbatim);
    }
    line++;
    parts = [];
    pending = 0;
    overlong = null;
  };

  for await (const chunk of plainBytes(input)) {
    const lines: TextLine[] = [];
    let start = 0;
    const first = chunk.indexOf(NEWLINE);
    if (first !== -1 && (pending > 0 || overlong !== null)) {
      parts.push(chunk.subarray(0, first));
      pending += first;
      if (overlong === null && pending > maxLineBytes)
        overlong = Buffer.concat(parts).subarray(0, SHOWN_BYTES);
      finish(lines);
      start = first + 1;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= start) {
      line = splitInto(lines, chunk.subarray(start, last), line, maxLineBytes, verbatim);
      start = last + 1;
    }
    if (start < chunk.length && overlong === null) {
      parts.push(chunk.subarray(start));
      pending += chunk.length - start;
      if (pending > maxLineBytes) {
        overlong = Buffer.concat(parts).subarray(0, SHOWN_BYTES);
        parts = [];
        pending = 0;
      }
    }
    if (lines.length > 0) yield lines;
  }
  const lines: TextLine[] = [];
  if (pending > 0 || overlong !== null) finish(lines);
  if (lines.length > 0) yield lines;
}

/** Appends the lines of whole-line `bytes`; answers the number of the line after them. */
function splitInto(
  lines: TextLine[],
  bytes: Buffer,
  firstLine: number,
  maxLineBytes: number,
  verbatim: boolean,
): number {
  let line = firstLine;
  // Decoding a chunk at once is several times faster than line by line; it fails as a whole, so only then by line.
  const text = bytes.length <= maxLineBytes ? decodeUtf8(bytes) : null;
  if (text !== null) {
    for (let start = 0; start <= text.length; line++) {
      const end = text.indexOf('\n', start);
      const stop = end === -1 ? text.length : end;
      push(lines, text.slice(start, stop), line, verbatim);
      start = stop + 1;
    }
    return line;
  }
  for (let start = 0; start <= bytes.length; line++) {
    const end = bytes.indexOf(NEWLINE, start);
    const stop = end === -1 ? bytes.length : end;
    if (stop - start > maxLineBytes) {
      const shown = printable(bytes.subarray(start, start + SHOWN_BYTES));
      lines.push({ line, text: shown, problem: `the line is longer than ${maxLineBytes} bytes` });
    } else {
      decodeInto(lines, bytes.subarray(start, stop), line, verbatim);
    }
    start = stop + 1;
  }
  return line;
}

function decodeInto(lines: TextLine[], bytes: Buffer, line: number, verbatim: boolean): void {
  const text = decodeUtf8(bytes);
  if (text !== null) push(lines, text, line, verbatim);
  else {
    lines.push({ line, text: printable(bytes).trimEnd(), problem: notUtf8('line') });
  }
}

function push(lines: TextLine[], text: string, line: number, verbatim: boolean): void {
  if (verbatim) {
    lines.push({ line, text });
  } else if (text.length > 0 && (text.charCodeAt(0) > 32 || text.trim() !== '')) {
    lines.push({ line, text: text.charCodeAt(text.length - 1) === RETURN ? text.slice(0, -1) : text });
  }
}

/** Latin-1 gives every byte a character, so nothing of a line that is no text is lost. */
function printable(bytes: Buffer): string {
  return bytes.toString('latin1');
}

/** The input as buffers: gunzipped when it begins as gzip does, without a byte order mark. */
async function* plainBytes(input: TextInput): AsyncGenerator<Buffer> {
  const chunks = buffers(input);
  // The first three bytes decide; a pipe may deliver them one by one.
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 3) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    // A short first line of a live pipe must not wait: only a possible gzip header or mark needs more.
    if (head.length > 0 && head[0] !== 0x1f && head[0] !== 0xef) break;
  }
  const whole = (async function* () {
    if (head.length > 0) yield head;
    yield* chunks;
  })();
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const gunzip = createGunzip();
    pipeline(Readable.from(whole, { objectMode: false }), gunzip, () => {
      // pipeline destroys gunzip with the error, and the loop below throws it.
    });
    yield* withoutMark(gunzip as AsyncIterable<Buffer>);
  } else {
    yield* withoutMark(whole);
  }
}

async function* withoutMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const mark = Buffer.of(0xef, 0xbb, 0xbf);
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < mark.length && mark.subarray(0, head.length).equals(head)) continue;
    yield head.subarray(0, 3).equals(mark) ? head.subarray(3) : head;
    head = null;
  }
  if (head !== null && head.length > 0 && !head.equals(mark)) yield head;
}

async function* buffers(input: TextInput): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, 'utf8')
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (bytes.length > 0) yield bytes;
  }
}

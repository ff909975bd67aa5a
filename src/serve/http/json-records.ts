/** Records out of a body, as the texts they were written in, so that no digit of a number is lost on the way. */
import type { RawRecord } from '../../connectors/formats/raw-record.ts';
import { decodeUtf8, notUtf8 } from '../../connectors/formats/utf8.ts';
import { tooDeep } from '../../json/storable.ts';
import { BodyTooLarge } from './read-body.ts';

/** Each record costs memory besides its bytes: `[0,0,...]` has one for every two. */
export const MAX_RECORDS = 100_000;

/** Bytes of one: on the way into the database it is there a dozen times over, and so is the engine's copy of each model that has it. */
export const MAX_RECORD_BYTES = 2 * 1024 * 1024;
/** What is kept of one that is longer. */
const SHOWN = 4096;

const LATIN1_MARK = /^\u00ef\u00bb\u00bf/;

/**
 * The elements of a JSON array, or the one object. Only the outermost structure is looked at; each record is parsed, and
 * refused if need be, where it is taken in.
 * @throws SyntaxError when the text is neither, or ends too early
 * @param longest bytes of one record
 * @throws BodyTooLarge for more than MAX_RECORDS
 */
export function recordsOfJson(body: Uint8Array, longest = MAX_RECORD_BYTES): RawRecord[] {
  const text = decodeUtf8(body);
  if (text !== null) return recordsOfText(text, longest);
  // Latin-1 gives every byte a character, and JSON's own characters are ASCII: each record is judged by itself.
  return recordsOfText(Buffer.from(body).toString('latin1'), longest).map((record) => {
    const own = decodeUtf8(Buffer.from(record.text, 'latin1'));
    return own === null ? { ...record, problem: notUtf8('record') } : { ...record, text: own };
  });
}

function recordsOfText(text: string, longest: number): RawRecord[] {
  // A byte order mark is white space to `trim`.
  const trimmed = text.replace(LATIN1_MARK, '').trim();
  if (trimmed.startsWith('['))
    return elements(trimmed).map((element, at) => recordOf(element, at + 1, longest));
  if (!trimmed.startsWith('{')) throw new SyntaxError('the body is neither a JSON object nor an array');
  const record = recordOf(trimmed, 1, longest);
  if (record.problem === undefined && tooDeep(trimmed) === undefined) JSON.parse(trimmed);
  return [record];
}

function recordOf(text: string, line: number, longest: number): RawRecord {
  // A character has three bytes at most for each of its units.
  const isLong = text.length * 3 > longest && Buffer.byteLength(text) > longest;
  if (!isLong) return { line, text };
  return { line, text: text.slice(0, SHOWN), problem: `the record is longer than ${longest} bytes` };
}

function elements(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  const end = (at: number): void => {
    const element = text.slice(start, at).trim();
    if (element === '') throw new SyntaxError(`the array lacks an element before character ${at + 1}`);
    if (found.length === MAX_RECORDS)
      throw new BodyTooLarge(`the array has more than ${MAX_RECORDS} records`);
    found.push(element);
    start = at + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 /* " */) {
      at = endOfString(text, at);
    } else if (code === 0x5b /* [ */ || code === 0x7b /* { */) depth++;
    else if (code === 0x5d /* ] */ || code === 0x7d /* } */) {
      depth--;
      if (depth > 0) continue;
      if (code !== 0x5d || at !== text.length - 1)
        throw new SyntaxError(`unexpected text behind character ${at + 1}`);
      if (found.length > 0 || text.slice(start, at).trim() !== '') end(at);
      return found;
    } else if (code === 0x2c /* , */ && depth === 1) end(at);
  }
  throw new SyntaxError('the array does not end');
}

function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c /* \ */) at++;
    else if (code === 0x22) return at;
  }
  throw new SyntaxError('a string does not end');
}

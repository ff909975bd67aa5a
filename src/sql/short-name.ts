import { createHash } from 'node:crypto';

/** PostgreSQL cuts names at 63 bytes; longer ones keep their beginning and get a hash. */
export function shortName(...parts: string[]): string {
  const name = parts.join(' ');
  if (Buffer.byteLength(name) <= 63) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `${beginning(name, 52)} ${hash}`;
}

/** What of a text fits into so many bytes of UTF-8, its last character whole. */
export function beginning(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = bytes;
  // Bytes of the form 10xxxxxx continue a character.
  while ((encoded[end]! & 0xc0) === 0x80) end--;
  return encoded.toString('utf8', 0, end);
}

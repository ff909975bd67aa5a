import { createHash } from 'node:crypto';

/** PostgreSQL cuts names at 63 bytes; longer ones keep their beginning and get a hash. */
export function shortName(...parts: string[]): string {
  const name = parts.join(' ');
  if (Buffer.byteLength(name) <= 63) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10);
  let head = name;
  while (Buffer.byteLength(head) > 52) head = head.slice(0, -1);
  return `${head} ${hash}`;
}

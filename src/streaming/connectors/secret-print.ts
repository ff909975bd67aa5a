/** Secrets as salted hashes: whether one has changed can be told, what it is cannot. */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const LENGTH = 32;

export function printsOf(secrets: ReadonlyMap<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(
    [...(secrets ?? [])].map(([name, value]) => [name, print(value, randomBytes(16))]),
  );
}

/** Whether these are the secrets that the prints were made of. */
export function samePrints(
  secrets: ReadonlyMap<string, string> | undefined,
  prints: Readonly<Record<string, string>> | undefined,
): boolean {
  const known = Object.entries(prints ?? {});
  if (known.length !== (secrets?.size ?? 0)) return false;
  return known.every(([name, before]) => {
    const value = secrets?.get(name);
    const salt = Buffer.from(before.split(':')[0] ?? '', 'hex');
    return value !== undefined && timingSafeEqual(Buffer.from(print(value, salt)), Buffer.from(before));
  });
}

function print(value: string, salt: Buffer): string {
  return `${salt.toString('hex')}:${scryptSync(value, salt, LENGTH).toString('hex')}`;
}

import { stringifyJson } from '../json/exact-json.ts';
import type { Writable } from '../json/exact-json.ts';

/** A record that cannot go in, and why: a reason a person can act on, written into the dead-letter table. */
export class BadValue extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.name = 'BadValue';
    this.reason = reason;
  }
}

/** A value as shown in a reason: JSON, cut after 60 characters. */
export function shown(value: unknown): string {
  const text = stringifyJson(value as Writable);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

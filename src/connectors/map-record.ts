/** Paths into JSON records: where a source's column finds its value. */

/** The steps of a path; no steps mean the whole record. A numeric step also indexes an array. */
export type RecordPath = readonly string[];

const NAME = /[^.[\]"'\s][^.[\]"']*/y;

/**
 * Reads `a.b.c`, `segment."odd.name"`, `items[0].id`, `$` (the whole record) and `$.a`. Inside quotes, single or
 * double, a backslash keeps the next character as it is.
 * Throws a RangeError that says at which character (from 1) the path stops making sense.
 */
export function parsePath(path: string): RecordPath {
  const steps: string[] = [];
  let at = 0;
  if (path === '$') return steps;
  if (path.startsWith('$.')) at = 2;
  else if (path.startsWith('$[')) at = 1;
  const fail = (): never => {
    throw new RangeError(`path "${path}" cannot be read at character ${at + 1}`);
  };
  let needsStep = path[at] !== '[';
  for (;;) {
    if (needsStep || path[at] === '[') {
      const bracket = path[at] === '[';
      if (bracket) at++;
      const quote = path[at];
      if (quote === '"' || quote === "'") {
        let step = '';
        for (at++; path[at] !== quote; at++) {
          if (path[at] === '\\') at++;
          if (at >= path.length) fail();
          step += path[at]!;
        }
        at++;
        steps.push(step);
      } else {
        NAME.lastIndex = at;
        const name = NAME.exec(path)?.[0] ?? fail();
        at += name.length;
        steps.push(name.trimEnd());
      }
      if (bracket && path[at++] !== ']') fail();
    }
    if (at === path.length) return steps;
    if (path[at] === '.') {
      at++;
      needsStep = true;
    } else if (path[at] === '[') {
      needsStep = false;
    } else {
      fail();
    }
  }
}

/**
 * The value at a path, undefined when a step is missing or leads into something that is no object or array. Only own
 * properties count: `constructor` or `__proto__` find what the record holds under that name, never JavaScript's own.
 */
export function lookup(record: unknown, path: RecordPath): unknown {
  let value = record;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    if (Array.isArray(value) && step === 'length') return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/**
 * Puts a value at a path, making the objects on the way; used to give a CSV line the shape of the source's records.
 * Properties are defined, not assigned, so `__proto__` is a name like any other. A step through something that is no
 * object replaces it.
 */
export function place(record: Record<string, unknown>, path: RecordPath, value: unknown): void {
  let target = record;
  for (const step of path.slice(0, -1)) {
    const next = Object.hasOwn(target, step) ? target[step] : undefined;
    if (typeof next === 'object' && next !== null) {
      target = next as Record<string, unknown>;
    } else {
      const made: Record<string, unknown> = {};
      Object.defineProperty(target, step, {
        value: made,
        writable: true,
        enumerable: true,
        configurable: true,
      });
      target = made;
    }
  }
  const last = path.at(-1);
  if (last === undefined) return;
  Object.defineProperty(target, last, { value, writable: true, enumerable: true, configurable: true });
}

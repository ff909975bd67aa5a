/**
 * Members in the order they were given. JavaScript moves those whose names are whole numbers ("2", "10") to the front of an
 * object; a model may have columns of such names, a document members, and their place is theirs all the same. For an object
 * in which that has happened the order is remembered beside it. Such objects are not changed once they are made.
 */
const orders = new WeakMap<object, readonly string[]>();

/** What JavaScript takes for the index of an array: canonical, at most ten digits. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** Whether JavaScript gives a member of this name another place. */
export function movesInObjects(name: string): boolean {
  return INDEX.test(name);
}

/** An object of these members; `keysOf`, `entriesOf` and `valuesOf` answer them in this order. */
export function objectOf<T>(entries: readonly (readonly [name: string, value: T])[]): { [name: string]: T } {
  const object = Object.fromEntries(entries);
  if (entries.some(([name]) => movesInObjects(name)))
    orders.set(object, [...new Set(entries.map(([name]) => name))]);
  return object;
}

/** The names of an object's members, in the order they were given. */
export function keysOf(object: object): readonly string[] {
  return orders.get(object) ?? Object.keys(object);
}

/** The members of an object, in the order they were given. */
export function entriesOf<T>(object: { readonly [name: string]: T }): [name: string, value: T][] {
  return keysOf(object).map((name) => [name, object[name]!]);
}

/** The values of an object's members, in the order they were given. */
export function valuesOf<T>(object: { readonly [name: string]: T }): T[] {
  return keysOf(object).map((name) => object[name]!);
}

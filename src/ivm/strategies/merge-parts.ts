/**
 * One piece of a group's state in SQL: what it takes of each row of a change, how the rows of a group are put together, and
 * how that is added to what is stored.
 *
 * Rows that came and went are told apart by the sign of their weight, which is 1 or −1. A value that goes can be the one
 * that is kept: `again` says when the group must be read again, which it is from the tables as they are.
 */
import type { StatePart } from '../plan/merge-plan.ts';
import { raw } from '../relation/expression.ts';
import { listSql } from './merge-list.ts';
import { before, signed } from './merge-part.ts';
import type { PartNames, PartSql } from './merge-part.ts';

/** @param removes whether rows may have gone */
export function partSql(part: StatePart, names: PartNames, removes: boolean): PartSql {
  switch (part.kind) {
    case 'count':
      return countSql(part, names, removes);
    case 'sum':
      return sumSql(part, names, removes);
    case 'extreme':
      return extremeSql(part, names, removes);
    case 'first':
      return firstSql(part, names, removes);
    case 'list':
      return listSql(part, names, removes);
    case 'xor': {
      const i = `${names.prefix}i`;
      const change = `${names.prefix}c`;
      const stored = names.stored(part.id);
      return {
        inputs: [{ name: i, expr: part.arg }],
        change: [{ name: change, sql: `bit_xor(${i})` }],
        again: null,
        next: [
          {
            id: part.id,
            sql: `CASE WHEN ${names.next(part.count)} > 0 THEN coalesce(${stored} # ${change}, ${stored}, ${change}) END`,
          },
        ],
      };
    }
    case 'bits': {
      const i = `${names.prefix}i`;
      const came = `${names.prefix}a`;
      const went = `${names.prefix}r`;
      const call = part.operator === '&' ? 'bit_and' : 'bit_or';
      const stored = names.stored(part.id);
      return {
        inputs: [{ name: i, expr: part.arg }],
        change: [
          { name: came, sql: `${call}(${i})${signed(removes, 1)}` },
          ...(removes
            ? [{ name: went, sql: `coalesce(bool_or(${i} IS NOT NULL AND "_seg_w" < 0), false)` }]
            : []),
        ],
        again: removes ? went : null,
        next: [{ id: part.id, sql: `coalesce(${stored} ${part.operator} ${came}, ${stored}, ${came})` }],
      };
    }
  }
}

type Of<K extends StatePart['kind']> = Extract<StatePart, { kind: K }>;

function countSql({ id, when }: Of<'count'>, { prefix, stored }: PartNames, removes: boolean): PartSql {
  const change = `${prefix}c`;
  const next = [{ id, sql: `coalesce(${stored(id)}, 0) + coalesce(${change}, 0)` }];
  if (when === null) {
    return {
      inputs: [],
      change: [{ name: change, sql: removes ? 'sum("_seg_w")' : 'count(*)' }],
      again: null,
      next,
    };
  }
  const input = `${prefix}i`;
  const sum = removes ? 'sum("_seg_w")' : 'count(*)';
  return {
    inputs: [{ name: input, expr: when }],
    change: [{ name: change, sql: `${sum} FILTER (WHERE ${input})` }],
    again: null,
    next,
  };
}

function sumSql(part: Of<'sum'>, names: PartNames, removes: boolean): PartSql {
  const [i, came, went] = ['i', 'a', 'r'].map((name) => `${names.prefix}${name}`) as [string, string, string];
  const zero = part.sum === 'interval' ? `'0'::interval` : '0';
  const or = (sql: string): string => `coalesce(${sql}, ${zero})`;
  const stored = names.stored(part.id);
  const sum = `${or(stored)} + ${or(came)}${removes ? ` - ${or(went)}` : ''}`;
  const exact =
    part.scales === null
      ? sum
      : `round(${sum}, greatest(length(trunc(${names.next(part.scales)})::text) - 1, 0) / 12)`;
  return {
    inputs: [
      { name: i, expr: part.arg },
      // '1 mon' equals '30 days', and is not the same: rows of both must not be taken for copies.
      ...(part.sum === 'interval' && removes
        ? [{ name: `${names.prefix}t`, expr: raw(['(', part.arg, ')::text']) }]
        : []),
    ],
    change: [
      { name: came, sql: `sum(${i})${signed(removes, 1)}` },
      ...(removes ? [{ name: went, sql: `sum(${i})${signed(removes, -1)}` }] : []),
    ],
    again: removes ? notFinite(part, [stored, came, went], went) : null,
    next: [
      {
        id: part.id,
        sql: part.count === null ? exact : `CASE WHEN ${names.next(part.count)} > 0 THEN ${exact} END`,
      },
    ],
  };
}

/** What is infinite or NaN swallows other values, and cannot be taken back. */
function notFinite({ sum }: Of<'sum'>, values: readonly string[], went: string): string | null {
  if (sum === 'whole') return null;
  const finite = values.map((value) =>
    sum === 'interval' ? `coalesce(isfinite(${value}), true)` : `coalesce(${value} - ${value} = 0, true)`,
  );
  return `(${went} IS NOT NULL AND NOT (${finite.join(' AND ')}))`;
}

function extremeSql({ id, arg, greatest }: Of<'extreme'>, names: PartNames, removes: boolean): PartSql {
  const [i, came, went] = ['i', 'a', 'r'].map((name) => `${names.prefix}${name}`) as [string, string, string];
  const call = greatest ? 'max' : 'min';
  const [before, upTo] = greatest ? ['<', '>='] : ['>', '<='];
  const stored = names.stored(id);
  return {
    inputs: [{ name: i, expr: arg }],
    change: [
      { name: came, sql: `${call}(${i})${signed(removes, 1)}` },
      ...(removes ? [{ name: went, sql: `${call}(${i})${signed(removes, -1)}` }] : []),
    ],
    again: removes
      ? `(${went} IS NOT NULL AND NOT coalesce(${went} ${before} ${stored}, false) AND NOT coalesce(${came} ${upTo} ${stored}, false))`
      : null,
    next: [{ id, sql: `${greatest ? 'greatest' : 'least'}(${stored}, ${came})` }],
  };
}

/**
 * The first row by an order. If what went stood behind the one that is kept, that one stays, unless something came before it; if
 * it went itself, what came in its place or before it is first, and else the group is read again.
 */
function firstSql(part: Of<'first'>, names: PartNames, removes: boolean): PartSql {
  const { prefix } = names;
  const [value, present] = [`${prefix}i`, `${prefix}p`];
  const keys = part.keys.map((key, n) => ({ ...key, name: `${prefix}k${n}` }));
  const order = keys
    .map(
      ({ name, descending, nullsFirst }) =>
        `${name}${descending ? ' DESC' : ''} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    )
    .join(', ');
  const first = (input: string, sign: 1 | -1): string => {
    const conditions = [
      ...(part.when === null ? [] : [present]),
      ...(removes ? [`"_seg_w" ${sign === 1 ? '>' : '<'} 0`] : []),
    ];
    const filter = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
    return `(array_agg(${input} ORDER BY ${order})${filter})[1]`;
  };
  const there = (sign: 1 | -1): string => {
    const conditions = [
      ...(part.when === null ? [] : [`${present} IS TRUE`]),
      ...(removes ? [`"_seg_w" ${sign === 1 ? '>' : '<'} 0`] : []),
    ];
    return `bool_or(${conditions.length === 0 ? 'true' : conditions.join(' AND ')})`;
  };
  const came = `${prefix}a`;
  const went = `${prefix}r`;
  const storedKeys = part.keys.map(({ id }) => names.stored(id));
  const change = [
    { name: `${came}p`, sql: there(1) },
    { name: `${came}i`, sql: first(value, 1) },
    ...keys.map(({ name }, n) => ({ name: `${came}${n}`, sql: first(name, 1) })),
    ...(removes
      ? [
          { name: `${went}p`, sql: there(-1) },
          ...keys.map(({ name }, n) => ({ name: `${went}${n}`, sql: first(name, -1) })),
        ]
      : []),
  ];
  const cameKeys = keys.map((_, n) => `${came}${n}`);
  const wentKeys = keys.map((_, n) => `${went}${n}`);
  const kept = `coalesce(${names.stored(part.count)}, 0) > 0`;
  const cameFirst = before(cameKeys, storedKeys, keys, false);
  // With the kept row gone, what came at its very place is as good as any.
  const cameAtLeast = before(cameKeys, storedKeys, keys, true);
  const keptStays = `(${kept} AND ${before(storedKeys, wentKeys, keys, false)})`;
  const take = removes
    ? `CASE WHEN ${went}p AND NOT ${keptStays} THEN ${cameAtLeast} ELSE NOT (${kept}) OR ${cameFirst} END`
    : `(NOT (${kept}) OR ${cameFirst})`;
  const flag = `${prefix}take`;
  const takes = `coalesce(${came}p AND ${take}, false)`;
  const ids = [
    { id: part.id, from: `${came}i` },
    ...part.keys.map(({ id }, n) => ({ id, from: `${came}${n}` })),
  ];
  return {
    inputs: [
      { name: value, expr: part.arg },
      ...(part.when === null ? [] : [{ name: present, expr: part.when }]),
      ...keys.map(({ name, expr }) => ({ name, expr })),
    ],
    change,
    flags: names.inline === true ? [] : [{ name: flag, sql: takes }],
    again: removes
      ? `(${went}p AND NOT ${keptStays} AND NOT (${came}p AND ${kept} AND ${cameAtLeast}))`
      : null,
    next: ids.map(({ id, from }) => ({
      id,
      sql: `CASE WHEN ${names.next(part.count)} = 0 THEN NULL WHEN ${names.inline === true ? takes : flag} THEN ${from} ELSE ${names.stored(id)} END`,
    })),
  };
}

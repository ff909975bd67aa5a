/**
 * A list of JSON in an order, as a piece of state: one row of a group that comes is put in at its place, one that goes is taken out,
 * one that changes is put where it stood. The place is counted among the rows of the group as they are, which is cheaper than making
 * all elements again (5 elements of 7 members: a third). When several rows change, when some are alike in the order, or when the list does
 * not have the length that these rows say, the group is read again.
 */
import type { StatePart } from '../plan/merge-plan.ts';
import { before, signed } from './merge-part.ts';
import type { PartNames, PartSql } from './merge-part.ts';

export function listSql(
  part: Extract<StatePart, { kind: 'list' }>,
  { prefix, stored, next }: PartNames,
  removes: boolean,
): PartSql {
  const [element, came, went, moved] = [`${prefix}i`, `${prefix}a`, `${prefix}r`, `${prefix}m`];
  const keys = part.keys.map((key, n) => ({ ...key, name: `${prefix}k${n}` }));
  const only = (input: string, sign: 1 | -1): string => `(array_agg(${input})${signed(removes, sign)})[1]`;
  const place = keys.map((_, n) => `${prefix}x${n}`);
  const rows = keys.map((_, n) => `${prefix}o${n}`);
  const [less, same, total] = [`${prefix}l`, `${prefix}s`, `${prefix}t`];
  const alike = rows.map((row, n) => `${row} IS NOT DISTINCT FROM "_seg_k".${place[n]!}`).join(' AND ');
  const single = removes ? `${came} <= 1 AND ${went} <= 1` : `${came} <= 1`;
  const list = stored(part.id);
  const gone = removes ? ` - ${went}` : '';
  const path = `ARRAY[${less}::text]`;
  return {
    inputs: [
      { name: element, expr: part.arg, cameOnly: true },
      ...keys.map(({ name, expr }) => ({ name, expr })),
    ],
    change: [
      { name: came, sql: `count(*)${signed(removes, 1)}` },
      { name: `${came}e`, sql: only(element, 1) },
      ...(removes
        ? [
            { name: went, sql: `count(*)${signed(true, -1)}` },
            {
              name: moved,
              sql: keys.map(({ name }) => `${only(name, 1)} IS DISTINCT FROM ${only(name, -1)}`).join(' OR '),
            },
            ...keys.map(({ name }, n) => ({
              name: place[n]!,
              sql: `CASE WHEN count(*)${signed(true, 1)} > 0 THEN ${only(name, 1)} ELSE ${only(name, -1)} END`,
            })),
          ]
        : keys.map(({ name }, n) => ({ name: place[n]!, sql: only(name, 1) }))),
    ],
    counts: {
      wanted: single,
      columns: keys.map(({ expr }, n) => ({ id: rows[n]!, expr })),
      counts: [
        {
          name: less,
          when: before(
            rows,
            place.map((name) => `"_seg_k".${name}`),
            keys,
            false,
          ),
        },
        { name: same, when: alike },
        { name: total, when: null },
      ],
    },
    again: `NOT coalesce(${[
      single,
      ...(removes ? [`NOT (${came} = 1 AND ${went} = 1 AND ${moved})`] : []),
      `${same} = ${came}`,
      `${total} = coalesce(jsonb_array_length(${list}), 0) + ${came}${gone}`,
    ].join(' AND ')}, false)`,
    next: [
      {
        id: part.id,
        sql: `CASE WHEN ${next(part.count)} = 0 THEN NULL ${
          removes
            ? `WHEN ${came} = 0 THEN ${list} - ${less}::integer WHEN ${went} = 1 THEN jsonb_set(${list}, ${path}, ${came}e) `
            : ''
        }ELSE jsonb_insert(coalesce(${list}, '[]'), ${path}, ${came}e) END`,
      },
    ],
  };
}

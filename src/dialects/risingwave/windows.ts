import type { Place, Rewrite, Rule } from '../rule.ts';
import { argumentsOf, calledName, constantInteger, frame, inner, isTree, listOf } from '../tree.ts';
import type { Tree } from '../tree.ts';

const FRAME = 'range between unbounded preceding and current row';
/** Their answer does not depend on the end of the frame, or on a frame at all. */
const withoutFrame: ReadonlySet<string> = new Set(
  'row_number rank dense_rank lag lead first_value'.split(' '),
);

export const windowRules: readonly Rule[] = [
  {
    effect: 'value',
    what: 'a window with ORDER BY and without a frame goes on row by row, where equals belong together (ROWS, not RANGE)',
    remedy:
      'Write the frame: "rows between unbounded preceding and current row" where no two rows are equal in the order, ' +
      'else "range between unbounded preceding and current row", which takes one ordering key, a number or a timestamp.',
    example: 'select sum(x) over (partition by k order by o, p) as s from t',
    answers: ['3.0, 3.0 for equals', '1.5, 3.0'],
    on: ['FuncCall'],
    find: (place) => running(place) !== undefined,
    rewrite: (place) => {
      const window = running(place)!;
      const [key, ...more] = listOf(window['orderClause']);
      if (more.length > 0 || !isRangeKey(place, inner(key, 'SortBy')?.['node'])) return undefined;
      return insertFrame(place, window);
    },
  },
  {
    effect: 'refused',
    what: 'a RANGE frame with several ordering keys, or one that is no number or timestamp',
    remedy: 'Use ROWS, or order by one number or timestamp: a date is ordered by x::timestamp.',
    example:
      'select sum(x) over (partition by k order by d::date range between unbounded preceding and current row) as s from t',
    on: ['over', 'WindowDef'],
    find: (place) => {
      const { node } = place;
      const options = optionsOf(node);
      if ((options & frame.nondefault) === 0 || (options & frame.range) === 0) return false;
      const keys = listOf(node['orderClause']);
      return keys.length !== 1 || !isRangeKey(place, inner(keys[0], 'SortBy')?.['node']);
    },
  },
  {
    effect: 'refused',
    what: 'a window without PARTITION BY',
    remedy: 'Add partition by 1::int, if it must be one partition.',
    example: 'select sum(x) over (order by o rows between 1 preceding and current row) as s from t',
    on: ['FuncCall'],
    find: ({ node, maintained }) => {
      const over = node['over'];
      return (
        maintained &&
        isTree(over) &&
        over['name'] === undefined &&
        listOf(over['partitionClause']).length === 0
      );
    },
  },
  {
    effect: 'refused',
    what: 'a window that is made of another one',
    remedy: 'Write the window out: over (partition by ... order by ...).',
    example: 'select rank() over (w order by o) as r from t window w as (partition by k)',
    on: ['over', 'WindowDef'],
    find: ({ node }) => node['refname'] !== undefined,
  },
  ...(['lag', 'lead'] as const).flatMap((name): Rule[] => [
    {
      effect: 'refused',
      what: `${name}() with a default`,
      remedy: `Write coalesce(${name}(x, 1) over (...), default).`,
      example: `select ${name}(x, 1, 0) over (partition by k order by o) as l from t`,
      on: ['FuncCall'],
      find: ({ node }) => calledName(node) === name && isTree(node['over']) && argumentsOf(node).length > 2,
    },
    {
      effect: 'refused',
      what: `${name}() by a distance that is no constant`,
      remedy: 'Number the rows with row_number() and join by the number.',
      example: `select ${name}(x, n) over (partition by k order by o) as l from t`,
      on: ['FuncCall'],
      find: ({ node }) => {
        const [, distance] = argumentsOf(node);
        return calledName(node) === name && distance !== undefined && constantInteger(distance) === undefined;
      },
    },
  ]),
  {
    effect: 'refused',
    what: 'a rank without ORDER BY in its window',
    remedy: 'Say in which order: over (partition by ... order by ...).',
    example: 'select row_number() over (partition by k) as n from t',
    on: ['FuncCall'],
    find: (place) => {
      const window = windowOf(place);
      return (
        window !== undefined &&
        ['row_number', 'rank', 'dense_rank'].includes(calledName(place.node)) &&
        listOf(window['orderClause']).length === 0
      );
    },
  },
  {
    effect: 'refused',
    what: 'FILTER of a window function',
    remedy: 'Write the condition as case when ... then x end.',
    example: 'select sum(x) filter (where x > 1) over (partition by k) as s from t',
    on: ['FuncCall'],
    find: ({ node }) => isTree(node['over']) && node['agg_filter'] !== undefined,
  },
  {
    effect: 'refused',
    what: 'a GROUPS frame',
    remedy: 'Use ROWS or RANGE.',
    example: 'select sum(x) over (partition by k order by o groups 1 preceding) as s from t',
    on: ['over', 'WindowDef'],
    find: ({ node }) => (optionsOf(node) & frame.groups) !== 0,
  },
  {
    effect: 'refused',
    what: 'EXCLUDE GROUP or TIES',
    remedy: 'Leave the rows out in a condition.',
    example:
      'select sum(x) over (partition by k order by o rows between 1 preceding and 1 following exclude ties) as s from t',
    on: ['over', 'WindowDef'],
    find: ({ node }) => (optionsOf(node) & (frame.excludeGroup | frame.excludeTies)) !== 0,
  },
];

function optionsOf(window: Tree): number {
  return Number(window['frameOptions'] ?? 0);
}

/** The definition of a call's window, by its name too. */
function windowOf({ node, around }: Place): Tree | undefined {
  const over = node['over'];
  if (!isTree(over)) return undefined;
  if (over['name'] === undefined) return over;
  for (const { node: select } of around) {
    const defined = listOf(select['windowClause']).map((item) => inner(item, 'WindowDef'));
    const found = defined.find((window) => window?.['name'] === over['name']);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The window of a function whose answer depends on the frame, when it has an order and no frame of its own. */
function running(place: Place): Tree | undefined {
  const window = windowOf(place);
  if (window === undefined || withoutFrame.has(calledName(place.node))) return undefined;
  if (window['refname'] !== undefined || listOf(window['orderClause']).length === 0) return undefined;
  return (optionsOf(window) & frame.nondefault) === 0 ? window : undefined;
}

/** Whether the engine takes an expression as the key of a RANGE frame, as far as its type is known. */
function isRangeKey({ typeOf }: Place, key: unknown): boolean {
  const type = typeOf(key);
  return type === undefined || ['integer', 'numeric', 'float', 'timestamp', 'timestamptz'].includes(type);
}

function insertFrame({ text }: Place, window: Tree): readonly Rewrite[] | undefined {
  const open = text.tokenAt(text.at(window['location']) ?? -1);
  const close = text.tokens[open]?.text === '(' ? text.closing(open) : undefined;
  if (close === undefined) return undefined;
  const at = text.tokens[close]!.from;
  return [{ range: { from: at, to: at }, parts: [` ${FRAME}`] }];
}

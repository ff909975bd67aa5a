/** Comparisons whose reading or answer differs: IS DISTINCT FROM beside AND and OR, and rows with NULL in them. */
import type { Range } from '../query-text.ts';
import type { Place, Rule } from '../rule.ts';
import { inner, isTree, listOf, texts } from '../tree.ts';
import type { Tree } from '../tree.ts';

type Operator = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'distinct' | 'not distinct';

interface Comparison {
  readonly operator: Operator;
  readonly left: readonly Tree[];
  readonly right: readonly Tree[];
}

export const rowRules: readonly Rule[] = [
  {
    effect: 'value',
    what: 'IS DISTINCT FROM before AND or OR takes them to its right side',
    remedy: 'Put brackets around it: (a is distinct from b) or c.',
    example: 'select a is distinct from b or c as d from t',
    answers: ['(a is distinct from b) or c', 'a is distinct from (b or c)'],
    on: ['A_Expr'],
    find: (place) => {
      if (!/DISTINCT$/.test(String(place.node['kind']))) return false;
      if (comparison(place) !== undefined) return false;
      const { text, wrapped } = place;
      const range = text.rangeOf(wrapped);
      // What cannot be told is told: better one pair of brackets too many.
      return range === undefined ? true : /^(and|or)$/.test(text.tokens[text.tokenAt(range.to)]?.text ?? '');
    },
    rewrite: ({ text, wrapped }) => {
      const range = text.rangeOf(wrapped);
      return range && [{ range, parts: ['(', range, ')'] }];
    },
  },
  {
    effect: 'value',
    what: 'rows with NULL in them are compared as if NULL were a value',
    remedy: 'Compare the columns one by one: a = c and b = d.',
    example: 'select (a, null) = (b, null) as s from t',
    answers: ['NULL', 'true'],
    on: ['A_Expr'],
    find: (place) => comparison(place) !== undefined,
    rewrite: (place) => {
      const found = comparison(place)!;
      const range = place.text.rangeOf(place.wrapped);
      const [left, right] = [place.text.rangesOf(found.left), place.text.rangesOf(found.right)];
      if (range === undefined || left === undefined || right === undefined) return undefined;
      return [{ range, parts: ['(', ...written(found.operator, left, right), ')'] }];
    },
  },
  {
    effect: 'refused',
    what: 'IN with rows',
    remedy: 'Compare the columns one by one, joined by OR; instead of a subquery write exists (...).',
    example: 'select (a, b) in ((1, 2), (3, 4)) as i from t',
    on: ['A_Expr'],
    find: ({ node }) => node['kind'] === 'AEXPR_IN' && elements(node['lexpr']) !== undefined,
    rewrite: ({ node, text, wrapped }) => {
      const range = text.rangeOf(wrapped);
      const left = text.rangesOf(elements(node['lexpr'])!);
      const rows = listOf(inner(node['rexpr'], 'List')?.['items']).map(elements);
      if (range === undefined || left === undefined) return undefined;
      const parts: (string | Range)[] = [];
      for (const row of rows) {
        const right = row === undefined || row.length !== left.length ? undefined : text.rangesOf(row);
        if (right === undefined) return undefined;
        parts.push(parts.length === 0 ? '(' : ' or (', ...written('=', left, right), ')');
      }
      const not = texts(node['name']).join() === '<>' ? 'not ' : '';
      return [{ range, parts: [`(${not}(`, ...parts, '))'] }];
    },
  },
  {
    effect: 'refused',
    what: 'a row compared with a subquery',
    remedy: 'Write exists (select ... where s.a = t.a and s.b = t.b).',
    example: 'select (a, b) in (select c, d from u) as i from t',
    on: ['SubLink'],
    find: ({ node }) => elements(node['testexpr']) !== undefined,
  },
  {
    effect: 'value',
    what: 'a row IS [NOT] NULL: the row itself is never NULL',
    remedy: 'Ask for each column: a is null and b is null.',
    example: 'select row(a, b) is null as n from t',
    answers: ['true when every column is NULL', 'false'],
    on: ['NullTest'],
    find: ({ node }) => elements(node['arg']) !== undefined,
    rewrite: ({ node, text, wrapped }) => {
      const columns = elements(node['arg'])!;
      const [range, each] = [text.rangeOf(wrapped), text.rangesOf(columns)];
      if (range === undefined || each === undefined || each.length === 0) return undefined;
      const test = node['nulltesttype'] === 'IS_NULL' ? 'is null' : 'is not null';
      return [
        {
          range,
          parts: ['(', ...each.flatMap((column, i) => [i === 0 ? '(' : ' and (', column, `) ${test}`]), ')'],
        },
      ];
    },
  },
];

/** The columns of a row that is written out; undefined for anything else. */
function elements(value: unknown): readonly Tree[] | undefined {
  const row = inner(value, 'RowExpr');
  return row === undefined ? undefined : listOf(row['args']);
}

/** A comparison of two rows that are written out. */
function comparison({ node }: Place): Comparison | undefined {
  const [left, right] = [elements(node['lexpr']), elements(node['rexpr'])];
  if (left === undefined || right === undefined || left.length !== right.length || left.length === 0)
    return undefined;
  const kind = String(node['kind']);
  const name = isTree(node) ? (texts(node['name']).at(-1) ?? '') : '';
  if (kind === 'AEXPR_DISTINCT') return { operator: 'distinct', left, right };
  if (kind === 'AEXPR_NOT_DISTINCT') return { operator: 'not distinct', left, right };
  if (kind !== 'AEXPR_OP' || !['=', '<>', '<', '<=', '>', '>='].includes(name)) return undefined;
  return { operator: name as Operator, left, right };
}

/** The comparison column by column, as PostgreSQL defines it. */
function written(operator: Operator, left: readonly Range[], right: readonly Range[]): (string | Range)[] {
  const pair = (i: number, by: string): (string | Range)[] => ['(', left[i]!, `) ${by} (`, right[i]!, ')'];
  const joined = (by: string, word: string): (string | Range)[] =>
    left.flatMap((_, i) => [i === 0 ? '' : ` ${word} `, '(', ...pair(i, by), ')']);
  switch (operator) {
    case '=':
      return joined('=', 'and');
    case '<>':
      return joined('<>', 'or');
    case 'distinct':
      return joined('is distinct from', 'or');
    case 'not distinct':
      return joined('is not distinct from', 'and');
    default:
      return ordered(operator, pair, 0, left.length);
  }
}

/** The first columns that differ decide. */
function ordered(
  operator: string,
  pair: (i: number, by: string) => (string | Range)[],
  i: number,
  count: number,
): (string | Range)[] {
  if (i === count - 1) return pair(i, operator);
  return [
    ...pair(i, operator.slice(0, 1)),
    ' or (',
    ...pair(i, '='),
    ' and (',
    ...ordered(operator, pair, i + 1, count),
    '))',
  ];
}

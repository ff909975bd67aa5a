import type { Place, Rule } from '../rule.ts';
import {
  anywhere,
  argumentsOf,
  calledName,
  constantInteger,
  constantText,
  inner,
  listOf,
  meaningOf,
} from '../tree.ts';
import { branchAsks, isVolatile, nullifAround } from './json.ts';

export const arrayRules: readonly Rule[] = [
  {
    effect: 'value',
    what: 'array_length() and array_upper() of an empty array are 0, and not NULL',
    remedy: 'Write nullif(array_length(x, 1), 0).',
    example: "select array_length(string_to_array(a, ','), 1) as n from t",
    answers: ['NULL', '0'],
    on: ['FuncCall'],
    find: (place) => ['array_length', 'array_upper'].includes(calledName(place.node)) && !isNullified(place),
    rewrite: ({ text, wrapped }) => {
      const range = text.rangeOf(wrapped);
      return range && [{ range, parts: ['nullif(', range, ', 0)'] }];
    },
  },
  {
    effect: 'value',
    what: 'array_ndims(), array_dims() and array_lower() of an empty array, or of NULL, are those of a full one',
    remedy: 'Write case when cardinality(x) > 0 then array_ndims(x) end.',
    example: 'select array_ndims(a) as n from t',
    answers: ['NULL', '1'],
    on: ['FuncCall'],
    find: (place) => {
      const name = calledName(place.node);
      const [array] = argumentsOf(place.node);
      if (!['array_ndims', 'array_dims', 'array_lower'].includes(name)) return false;
      return !branchAsks(place.around, (test) =>
        anywhere(
          test,
          (kind, call) =>
            kind === 'FuncCall' &&
            calledName(call) === 'cardinality' &&
            meaningOf(call['args']) === meaningOf([array]),
        ),
      );
    },
    rewrite: ({ node, text, wrapped }) => {
      const [array] = argumentsOf(node);
      const ranges = isVolatile(array) ? undefined : text.rangesOf([wrapped, array]);
      return (
        ranges && [
          {
            range: ranges[0]!,
            parts: ['case when cardinality(', ranges[1]!, ') > 0 then ', ranges[0]!, ' end'],
          },
        ]
      );
    },
  },
  {
    effect: 'refused',
    what: 'array_positions() of NULL in an empty array',
    remedy: 'Ask for the array first: case when cardinality(x) > 0 then array_positions(x, y) end.',
    example: "select array_positions('{}'::int[], null) as p",
    on: ['FuncCall'],
    find: ({ node }) => {
      if (calledName(node) !== 'array_positions') return false;
      const [array, value] = argumentsOf(node);
      const isEmpty =
        constantText(array) === '{}' ||
        (inner(array, 'A_ArrayExpr') !== undefined &&
          listOf(inner(array, 'A_ArrayExpr')?.['elements']).length === 0);
      return (
        isEmpty && anywhere(value, (kind, constant) => kind === 'A_Const' && constant['isnull'] === true)
      );
    },
  },
];

function isNullified({ around }: Place): boolean {
  const outer = nullifAround(around);
  return outer !== undefined && constantInteger(outer['rexpr']) === 0;
}

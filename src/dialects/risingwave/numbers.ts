import type { Place, Rule } from '../rule.ts';
import { argumentsOf, calledName, operatorOf, texts } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { VisibleType } from '../visible-type.ts';

const DIGITS = 'Say how many: round(x / y, 6).';

export const numberRules: readonly Rule[] = [
  {
    effect: 'some',
    what: 'a division of numerics has 28 digits, and not as many as PostgreSQL chooses',
    remedy: DIGITS,
    example: 'select 1::numeric / 3 as d',
    answers: ['0.33333333333333333333', '0.3333333333333333333333333333'],
    on: ['A_Expr'],
    find: ({ node, wrapped, around, typeOf }) =>
      operatorOf(node) === '/' && typeOf(wrapped) === 'numeric' && !isRounded(around),
  },
  {
    effect: 'some',
    what: 'avg() and variances of integers and numerics have 28 digits, and not as many as PostgreSQL chooses',
    remedy: 'Say how many: round(avg(x), 6).',
    example: 'select avg(x) as a from t',
    answers: ['1.8000000000000000', '1.80'],
    on: ['FuncCall'],
    find: ({ node, wrapped, around, typeOf }) =>
      (calledName(node) === 'avg' || /^(var|stddev)(iance|_pop|_samp)?$/.test(calledName(node))) &&
      typeOf(wrapped) === 'numeric' &&
      !isRounded(around),
  },
  {
    effect: 'some',
    what: 'sqrt(), ln(), log() and power() of numerics have 28 digits, and not as many as PostgreSQL chooses',
    remedy: 'Round, or compute with double precision: sqrt(x::double precision).',
    example: 'select sqrt(x::numeric) as r from t',
    answers: ['1.581138830084190 of 2.5', '1.5811388300841896659994467722'],
    on: ['FuncCall'],
    find: ({ node, around, typeOf }) =>
      ['sqrt', 'ln', 'log', 'log10', 'power', 'pow'].includes(calledName(node)) &&
      argumentsOf(node).some((argument) => typeOf(argument) === 'numeric') &&
      !isRounded(around),
  },
  {
    effect: 'value',
    what: 'exp() of a numeric is right to 8 digits only',
    remedy: 'Compute with double precision: exp(x::double precision).',
    example: 'select exp(1.5) as e',
    answers: ['4.4816890703380648', '4.4816890...'],
    on: ['FuncCall'],
    find: ({ node, typeOf }) => calledName(node) === 'exp' && typeOf(argumentsOf(node)[0]) === 'numeric',
  },
  {
    effect: 'some',
    what: 'trigonometric functions, cbrt() and degrees() differ in the last digit',
    remedy: 'Round: round(cbrt(x)::numeric, 12).',
    example: 'select cbrt(x) as c from t',
    answers: ['...532 of 2.5', '...534'],
    on: ['FuncCall'],
    find: ({ node, around }) =>
      /^(a?(sin|cos|tan)[dh]?|cot|cotd|coth|atan2d?|cbrt|degrees|radians)$/.test(calledName(node)) &&
      !isRounded(around),
  },
  textOf(
    ['numeric'],
    'a numeric as text has another number of decimals: 100 + 0.00 is 100, and not 100.00',
    'Write trim_scale(x)::text, or round(x, 2)::text where x has no fewer decimals.',
    'select (x::numeric + 0.00)::text as t from t',
    ['100.00', '100'],
  ),
  textOf(
    ['float'],
    'a double or real as text: 1e15 is written out, and real has other digits',
    'Cast to numeric and round first: round(x::numeric, 6)::text.',
    'select (x::double precision)::text as t from t',
    ['1e+15', '1000000000000000'],
  ),
  textOf(
    ['timestamptz'],
    'a timestamptz as text ends in +00:00, and not +00',
    "Write to_char(t, 'YYYY-MM-DD HH24:MI:SS').",
    'select now()::text as t from t where u < now()',
    ['2024-02-29 13:45:06.789+00', '2024-02-29 13:45:06.789+00:00'],
  ),
  {
    effect: 'text',
    what: 'a fraction of a second as text has three, six or nine decimals, and not as many as it needs',
    remedy: "Write to_char(t, 'HH24:MI:SS.MS').",
    example: 'select make_time(1, 2, 3.5)::text as t',
    answers: ['01:02:03.5', '01:02:03.500'],
    on: ['TypeCast'],
    find: ({ node, wrapped, typeOf }) =>
      typeOf(wrapped) === 'text' && ['time', 'timestamp'].includes(typeOf(node['arg']) ?? ''),
  },
];

/** A rule for values of a type that are made text: by a cast, ||, concat() or md5(). */
function textOf(
  types: readonly VisibleType[],
  what: string,
  remedy: string,
  example: string,
  answers: readonly [string, string],
): Rule {
  return {
    effect: 'text',
    what,
    remedy,
    example,
    answers,
    on: ['TypeCast', 'A_Expr', 'FuncCall'],
    find: (place) =>
      madeText(place).some((value) => {
        const type = place.typeOf(value);
        return type !== undefined && types.includes(type) && !isTrimmed(value);
      }),
  };
}

/** What becomes text at a place. */
function madeText({ kind, node, wrapped, typeOf }: Place): readonly unknown[] {
  if (kind === 'TypeCast') return typeOf(wrapped) === 'text' ? [node['arg']] : [];
  if (kind === 'FuncCall')
    return ['concat', 'concat_ws', 'format'].includes(calledName(node)) ? argumentsOf(node) : [];
  return operatorOf(node) === '||' && typeOf(wrapped) === 'text' ? [node['lexpr'], node['rexpr']] : [];
}

function isTrimmed(value: unknown): boolean {
  const call = (value as { FuncCall?: Tree } | undefined)?.FuncCall;
  if (call === undefined) return 'A_Const' in (value as object);
  return (
    ['trim_scale', 'round'].includes(calledName(call)) &&
    (calledName(call) === 'trim_scale' || argumentsOf(call).length === 2)
  );
}

/** Whether the digits do not reach the answer: the value is rounded, or cast to a type of fewer. */
function isRounded(around: Place['around']): boolean {
  return around.some(({ kind, node }) => {
    if (kind === 'FuncCall')
      return ['round', 'trunc', 'floor', 'ceil', 'ceiling', 'sign'].includes(calledName(node));
    if (kind !== 'TypeCast') return false;
    const type = texts((node['typeName'] as Tree)['names']).at(-1) ?? '';
    return /^(int[248]|float[48])$/.test(type);
  });
}

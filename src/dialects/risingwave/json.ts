import type { Place, Rule } from '../rule.ts';
import {
  anywhere,
  argumentsOf,
  calledName,
  constantInteger,
  constantText,
  inner,
  isTree,
  listOf,
  meaningOf,
  operatorOf,
  texts,
} from '../tree.ts';
import type { Tree } from '../tree.ts';

const volatile: ReadonlySet<string> = new Set('random gen_random_uuid clock_timestamp nextval'.split(' '));
const emptyOf: Readonly<Record<string, string>> = { jsonb_agg: '[]', jsonb_object_agg: '{}' };

export const jsonRules: readonly Rule[] = [
  {
    effect: 'value',
    what: 'to_jsonb() of NULL is JSON null, and not NULL',
    remedy: 'Write case when x is not null then to_jsonb(x) end.',
    example: 'select to_jsonb(a) as j from t',
    answers: ['NULL', 'null (is null says false)'],
    on: ['FuncCall'],
    find: (place) => {
      const [argument] = argumentsOf(place.node);
      return calledName(place.node) === 'to_jsonb' && mayBeNull(argument) && !isGuarded(place, argument);
    },
    rewrite: ({ node, text, wrapped }) => {
      const [argument] = argumentsOf(node);
      if (isVolatile(argument)) return undefined;
      const ranges = text.rangesOf([wrapped, argument]);
      if (ranges === undefined) return undefined;
      const [range, value] = ranges as [(typeof ranges)[0], (typeof ranges)[0]];
      return [{ range, parts: ['case when (', value, ') is not null then ', range, ' end'] }];
    },
  },
  {
    effect: 'value',
    what: 'jsonb_agg() and jsonb_object_agg() of no rows are [] and {}, and not NULL',
    remedy: "Write nullif(jsonb_agg(x), '[]'::jsonb).",
    example: 'select jsonb_agg(x) as j from t',
    answers: ['NULL', '[]'],
    on: ['FuncCall'],
    find: (place) =>
      emptyOf[calledName(place.node)] !== undefined && mayBeEmpty(place) && !isNullified(place),
    rewrite: ({ node, text, wrapped }) => {
      const range = text.rangeOf(wrapped);
      return range && [{ range, parts: ['nullif(', range, `, '${emptyOf[calledName(node)]!}'::jsonb)`] }];
    },
  },
  {
    effect: 'value',
    what: 'jsonb_array_elements_text() of a JSON null is the empty text, and not NULL',
    remedy: "In the select list write jsonb_array_elements(x) #>> '{}'.",
    example: "select jsonb_array_elements_text('[null]'::jsonb) as e",
    answers: ['NULL', "''"],
    on: ['FuncCall'],
    find: ({ node }) => calledName(node) === 'jsonb_array_elements_text',
    rewrite: ({ node, text, wrapped, clause, around }) => {
      if (clause !== 'select' || around.some(({ kind }) => kind === 'RangeFunction')) return undefined;
      const ranges = text.rangesOf([wrapped, argumentsOf(node)[0]]);
      return (
        ranges && [
          { range: ranges[0]!, parts: ['(jsonb_array_elements(', ranges[1]!, ") #>> '{}'::varchar[])"] },
        ]
      );
    },
  },
  {
    effect: 'value',
    what: 'jsonb_each_text() of a JSON null is the empty text, and not NULL',
    remedy: "Take jsonb_each(x), and (value #>> '{}') of its pairs.",
    example: 'select e.value from jsonb_each_text(\'{"a": null}\'::jsonb) as e',
    answers: ['NULL', "''"],
    on: ['FuncCall'],
    find: ({ node }) => calledName(node) === 'jsonb_each_text',
  },
  {
    effect: 'value',
    what: 'an element 0 or -1 of a JSON document that is no array is NULL, and not the document',
    remedy: "Write case when jsonb_typeof(j) = 'array' then j -> 0 else j end.",
    example: 'select \'"s"\'::jsonb ->> 0 as e',
    answers: ['s', 'NULL'],
    on: ['A_Expr'],
    find: (place) => elementOf(place) !== undefined && !isTyped(place, elementOf(place)),
    rewrite: ({ node, text, wrapped }) => {
      const document = node['lexpr'];
      // Written out three times each: what nests deeper is named instead.
      if (isVolatile(document) || depthOf(document) > 2) return undefined;
      const ranges = text.rangesOf([wrapped, document]);
      if (ranges === undefined) return undefined;
      const [range, value] = ranges as [(typeof ranges)[0], (typeof ranges)[0]];
      const itself = operatorOf(node) === '->' ? ['(', value, ')'] : ['(', value, ") #>> '{}'::varchar[]"];
      return [
        {
          range,
          parts: [
            '(case when jsonb_typeof(',
            value,
            ") in ('array', 'object') then ",
            range,
            ' else ',
            ...itself,
            ' end)',
          ],
        },
      ];
    },
  },
  {
    effect: 'some',
    what: 'a number in a JSON document keeps no scale and no more than 17 digits: 1.50 is 1.5, 1e2 is 100.0',
    remedy: 'Write such a number as a text in the document.',
    example: 'select \'{"e": 1.50}\'::jsonb as j',
    answers: ['{"e": 1.50}', '{"e": 1.5}'],
    on: ['TypeCast'],
    find: ({ node, wrapped, typeOf }) =>
      typeOf(wrapped) === 'jsonb' &&
      inner(node['arg'], 'A_Const') !== undefined &&
      losesDigits(constantText(node['arg']) ?? ''),
  },
  {
    effect: 'text',
    what: 'a numeric becomes a JSON number by way of a double: 100 is 100.0, and it keeps 17 digits',
    remedy: 'Put it in as text, or as bigint where it has no decimals: to_jsonb(x::text).',
    example: 'select to_jsonb(x::numeric) as j from t',
    answers: ['100', '100.0'],
    on: ['FuncCall'],
    find: ({ node, typeOf }) => {
      const name = calledName(node);
      if (
        !['to_jsonb', 'jsonb_build_object', 'jsonb_build_array', 'jsonb_agg', 'jsonb_object_agg'].includes(
          name,
        )
      )
        return false;
      return argumentsOf(node).some((argument) => typeOf(argument) === 'numeric');
    },
  },
  {
    effect: 'text',
    what: 'jsonb_pretty() writes an empty array or object on one line',
    remedy: 'Compare documents, and not their print.',
    example: "select jsonb_pretty('[]'::jsonb) as p",
    answers: ['two lines', '[]'],
    on: ['FuncCall'],
    find: ({ node }) => calledName(node) === 'jsonb_pretty',
  },
];

/** Whether a value can be NULL, and the function is not of a row as a whole. */
function mayBeNull(argument: Tree | undefined): boolean {
  if (argument === undefined || inner(argument, 'RowExpr') !== undefined) return false;
  const constant = inner(argument, 'A_Const');
  return constant === undefined || constant['isnull'] === true;
}

export function isVolatile(value: unknown): boolean {
  return anywhere(value, (kind, node) => kind === 'FuncCall' && volatile.has(calledName(node)));
}

/** Whether it stands in the branch of a CASE that asks for the value first. */
function isGuarded({ around }: Place, value: unknown): boolean {
  return branchAsks(around, (test) => {
    const asked = inner(test, 'NullTest');
    return asked?.['nulltesttype'] === 'IS_NOT_NULL' && meaningOf(asked['arg']) === meaningOf(value);
  });
}

function isTyped({ around }: Place, document: unknown): boolean {
  return branchAsks(around, (test) =>
    anywhere(
      test,
      (kind, call) =>
        kind === 'FuncCall' &&
        calledName(call) === 'jsonb_typeof' &&
        meaningOf(call['args']) === meaningOf([document]),
    ),
  );
}

/** Whether a branch of a CASE around begins with such a test. */
export function branchAsks(around: Place['around'], is: (test: unknown) => boolean): boolean {
  return around.some(({ kind, node }) => kind === 'CaseWhen' && is(node['expr']));
}

/** Whether an aggregate may meet no rows: without groups, by FILTER, or in a frame that may be empty. */
function mayBeEmpty({ node, around }: Place): boolean {
  if (node['agg_filter'] !== undefined) return true;
  if (isTree(node['over']))
    return node['over']['startOffset'] !== undefined || node['over']['endOffset'] !== undefined;
  const select = around.find(({ node: each }) => each['limitOption'] !== undefined)?.node;
  const groups = listOf(select?.['groupClause']);
  return groups.length === 0 || groups.some((group) => group['GroupingSet'] !== undefined);
}

/** nullif(jsonb_agg(x), '[]') is what a user writes too. */
function isNullified({ node, around }: Place): boolean {
  const outer = nullifAround(around);
  return outer !== undefined && constantText(outer['rexpr']) === emptyOf[calledName(node)];
}

/** The nullif() that an expression is the first argument of. */
export function nullifAround(around: Place['around']): Tree | undefined {
  const [field, outer] = around;
  return field?.kind === 'lexpr' && outer?.node['kind'] === 'AEXPR_NULLIF' ? outer.node : undefined;
}

/** The document of `j -> 0` and its like. */
function elementOf({ node }: Place): unknown {
  if (!['->', '->>'].includes(operatorOf(node))) return undefined;
  const index = constantInteger(node['rexpr']);
  return index === 0 || index === -1 ? node['lexpr'] : undefined;
}

function depthOf(document: unknown): number {
  const expression = inner(document, 'A_Expr');
  if (expression === undefined || texts(expression['name']).join() !== '->') return 0;
  return (constantInteger(expression['rexpr']) === undefined ? 0 : 1) + depthOf(expression['lexpr']);
}

/** Numbers of a document's text, outside of its strings. */
function losesDigits(document: string): boolean {
  const numbers = document.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) ?? [];
  return numbers.some(
    (number) => /[eE]/.test(number) || /\.\d*0$/.test(number) || number.replace(/\D/g, '').length > 15,
  );
}

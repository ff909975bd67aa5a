import type { Place, Rule } from '../rule.ts';
import {
  anywhere,
  calledName,
  constantInteger,
  constantText,
  inner,
  isTree,
  listOf,
  operatorOf,
  texts,
} from '../tree.ts';

const types: Readonly<Record<string, string>> = {
  uuid: 'Cast to text; a uuid is text there.',
  json: 'Cast to jsonb.',
  bpchar: 'Cast to text.',
  money: 'Cast to numeric.',
  xml: 'Cast to text.',
  citext: 'Cast to text.',
  name: 'Cast to text.',
  bit: 'Cast to integer.',
  varbit: 'Cast to text.',
  inet: 'Cast to text.',
  cidr: 'Cast to text.',
  macaddr: 'Cast to text.',
  timetz: 'Cast to time.',
  point: 'Keep the coordinates in columns of their own.',
  int4range: 'Keep both ends in columns of their own.',
  int8range: 'Keep both ends in columns of their own.',
  numrange: 'Keep both ends in columns of their own.',
  daterange: 'Keep both ends in columns of their own.',
  tsrange: 'Keep both ends in columns of their own.',
  tstzrange: 'Keep both ends in columns of their own.',
  tsvector: 'There is no text search.',
};

/** Literals whose type stands before them and that it reads so: date 'x', time 'x', timestamp 'x', interval 'x'. */
const readBefore: ReadonlySet<string> = new Set([
  'date',
  'time',
  'timestamp',
  'interval',
  'timestamp with time zone',
]);

export const typeRules: readonly Rule[] = [
  {
    effect: 'refused',
    what: 'types that it has not',
    remedy: 'Cast to a type that it has.',
    example: 'select a::uuid as a, b::money as b from t',
    on: ['TypeName', 'typeName'],
    find: ({ node }) => {
      const name = texts(node['names']).at(-1) ?? '';
      const remedy = types[name];
      return remedy !== undefined && { what: `the type ${name === 'bpchar' ? 'char(n)' : name}`, remedy };
    },
  },
  {
    effect: 'refused',
    what: 'varchar with a length',
    remedy: 'Cast to text; left(x, n) cuts.',
    example: 'select a::varchar(10) as a from t',
    on: ['TypeName', 'typeName'],
    find: ({ node }) => modified(node, /^varchar$/),
  },
  {
    effect: 'refused',
    what: 'numeric with a precision',
    remedy: 'Cast to numeric, and round().',
    example: 'select a::numeric(10, 2) as a from t',
    on: ['TypeName', 'typeName'],
    find: ({ node }) => modified(node, /^numeric$/),
  },
  {
    effect: 'refused',
    what: 'a time or timestamp with a precision',
    remedy: 'Leave the precision out.',
    example: 'select a::timestamp(3) as a from t',
    on: ['TypeName', 'typeName'],
    find: ({ node }) => modified(node, /^time(stamp)?(tz)?$/),
  },
  {
    effect: 'refused',
    what: 'an array type with a length, or a subscript right behind a cast',
    remedy: 'Leave the length out, and put brackets around the cast: (x::int[])[1].',
    example: "select '{1,2}'::int[3] as a from t",
    on: ['TypeName', 'typeName'],
    find: ({ node }) =>
      listOf(node['arrayBounds']).some((bound) => Number(inner(bound, 'Integer')?.['ival'] ?? 0) >= 0),
  },
  {
    effect: 'refused',
    what: "a type before a literal, timestamptz '...'",
    remedy: "Cast the literal: '...'::timestamptz.",
    example: "select t.u > timestamptz '2020-01-01 00:00:00+00' as b from t",
    on: ['TypeCast'],
    find: (place) => prefixedLiteral(place) !== undefined,
    rewrite: ({ node, wrapped, text }) => {
      const range = text.rangeOf(wrapped);
      const constant = text.offsetOf(node['arg']);
      if (range === undefined || constant === undefined) return undefined;
      const literal = text.tokens[text.tokenAt(constant)]!;
      const type = text.sql.slice(range.from, literal.from).trim();
      return [{ range, parts: [literal, `::${type}`] }];
    },
  },
  {
    effect: 'refused',
    what: 'COLLATE',
    remedy: 'Leave it out: text is ordered by bytes there.',
    example: 'select a collate "C" as a from t',
    on: ['CollateClause'],
    find: () => true,
  },
  {
    effect: 'refused',
    what: 'x isnull and x notnull',
    remedy: 'Write is null and is not null.',
    example: 'select a isnull as n from t',
    on: ['NullTest'],
    find: (place) => shortNullTest(place) !== undefined,
    rewrite: (place) => {
      const token = shortNullTest(place)!;
      return [{ range: token, parts: [token.text === 'isnull' ? 'is null' : 'is not null'] }];
    },
  },
  {
    effect: 'refused',
    what: 'an interval with a minus before it',
    remedy: 'Multiply it: i * -1.',
    example: "select - interval '1 day' as i from t",
    on: ['A_Expr'],
    find: ({ node, typeOf }) =>
      operatorOf(node) === '-' && node['lexpr'] === undefined && typeOf(node['rexpr']) === 'interval',
    rewrite: ({ node, wrapped, text }) => {
      const ranges = text.rangesOf([wrapped, node['rexpr']]);
      return ranges && [{ range: ranges[0]!, parts: ['((', ranges[1]!, ') * -1)'] }];
    },
  },
  {
    effect: 'refused',
    what: 'a fraction in an INTERVAL',
    remedy: "Use the smaller unit: interval '90 minutes'.",
    example: "select interval '1.5 hours' as i from t",
    on: ['TypeCast'],
    find: ({ node, typeOf, wrapped }) =>
      typeOf(wrapped) === 'interval' &&
      inner(node['arg'], 'A_Const') !== undefined &&
      /\d\.\d+\s*(?!s|ms|us|second|\d*s?$)[a-z]/i.test(constantText(node['arg']) ?? ''),
  },
  {
    effect: 'refused',
    what: 'comparison of jsonb by <, <=, > and >=',
    remedy: "Take the value out and cast it: (j ->> 'x')::numeric < 1.",
    example: "select a -> 'x' < b -> 'x' as l from t",
    on: ['A_Expr'],
    find: ({ node, typeOf }) =>
      ['<', '<=', '>', '>='].includes(operatorOf(node)) &&
      (typeOf(node['lexpr']) === 'jsonb' || typeOf(node['rexpr']) === 'jsonb'),
  },
  {
    effect: 'refused',
    what: 'a row as text',
    remedy: 'Concatenate the columns, or write jsonb_build_array(a, b)::text.',
    example: 'select row(a, b)::text as r from t',
    on: ['TypeCast'],
    find: ({ node, wrapped, typeOf }) => typeOf(wrapped) === 'text' && typeOf(node['arg']) === 'row',
  },
  {
    effect: 'refused',
    what: 'a constant date plus an integer',
    remedy: "Add an interval: date '2024-01-31' + interval '1 day' (2.8 loses the connection over it).",
    example: "select date '2024-01-31' + 1 as d from t",
    on: ['A_Expr'],
    find: ({ node, typeOf }) => {
      const sides = [node['lexpr'], node['rexpr']];
      return (
        ['+', '-'].includes(operatorOf(node)) &&
        sides.some((side) => typeOf(side) === 'date') &&
        sides.some((side) => constantInteger(side) !== undefined) &&
        !anywhere(sides, (kind, call) => kind === 'ColumnRef' || calledName(call) !== '')
      );
    },
  },
];

function modified(type: Place['node'], name: RegExp): boolean {
  return name.test(texts(type['names']).at(-1) ?? '') && listOf(type['typmods']).length > 0;
}

function prefixedLiteral({ node, text }: Place): string | undefined {
  const constant = inner(node['arg'], 'A_Const');
  const type = node['typeName'];
  if (constant === undefined || !('sval' in constant) || !isTree(type)) return undefined;
  const [named, literal] = [text.at(type['location']), text.at(constant['location'])];
  if (named === undefined || literal === undefined || named >= literal) return undefined;
  const written = text.sql.slice(named, literal).trim().toLowerCase();
  // CAST('x' AS type) names the type behind.
  return readBefore.has(written.replace(/\s+/g, ' ')) || !/^[a-z_][\w\s."]*$/.test(written)
    ? undefined
    : written;
}

function shortNullTest({ node, text }: Place) {
  const from = text.at(node['location']);
  const token = from === undefined ? undefined : text.tokens[text.tokenAt(from)];
  return token?.text === 'isnull' || token?.text === 'notnull' ? token : undefined;
}

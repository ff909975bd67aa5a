import type { Rule } from '../rule.ts';
import { argumentsOf, calledName, constantText, inner, isTree, operatorOf, texts } from '../tree.ts';
import type { Tree } from '../tree.ts';

/** Function → what to write instead. */
const remedies: Readonly<Record<string, string>> = {
  json_agg: 'Write jsonb_agg: there is no type json.',
  json_object_agg: 'Write jsonb_object_agg: there is no type json.',
  json_build_object: 'Write jsonb_build_object: there is no type json.',
  json_build_array: 'Write jsonb_build_array: there is no type json.',
  json_array_elements: 'Write jsonb_array_elements: there is no type json.',
  json_array_elements_text: 'Write jsonb_array_elements_text: there is no type json.',
  json_each: 'Write jsonb_each: there is no type json.',
  json_each_text: 'Write jsonb_each_text: there is no type json.',
  to_json: 'Write to_jsonb: there is no type json.',
  row_to_json: 'Name the columns: jsonb_build_object(...).',
  jsonb_to_record: "Take the fields out one by one: (value ->> 'name')::type.",
  jsonb_to_recordset: "Unfold with jsonb_array_elements and take the fields out: (value ->> 'name')::type.",
  jsonb_insert: 'Use jsonb_set, or build the document anew.',
  ntile: 'Number the rows with row_number() and divide.',
  percent_rank: 'Divide rank() by the count.',
  cume_dist: 'Divide row_number() by the count.',
  nth_value: 'Number the rows with row_number() and pick one in a filter.',
  regexp_split_to_table: 'Write unnest(regexp_split_to_array(...)).',
  string_to_table: 'Write unnest(string_to_array(...)).',
  regexp_like: 'Write x ~ pattern.',
  regexp_substr: 'Write (regexp_match(x, pattern))[1].',
  any_value: 'Write min(x).',
  corr: 'Write it out with sums: sum(a * b), sum(a), sum(a * a) ... over double precision.',
  covar_pop: 'Write avg(a * b) - avg(a) * avg(b).',
  covar_samp: 'Write (sum(a * b) - sum(a) * sum(b) / count(*)) / (count(*) - 1).',
  age: 'Subtract: t - u is an interval of days and time.',
  isfinite: 'Leave it out: there are no infinite dates.',
  justify_days: 'Divide the days: extract(epoch from i) / 86400.',
  justify_hours: 'Compute with extract(epoch from i).',
  justify_interval: 'Compute with extract(epoch from i).',
  make_interval: "Multiply an interval: n * interval '1 hour'.",
  overlaps: 'Compare the ends: a.start < b.end and b.start < a.end.',
  width_bucket: 'Compute the bucket: floor((x - low) / (high - low) * n)::int + 1.',
  div: 'Write trunc(a / b), or a / b of integers.',
  gcd: 'Make the value when the record is ingested.',
  lcm: 'Make the value when the record is ingested.',
  factorial: 'Make the value when the record is ingested.',
  to_number: 'Cast the text: x::numeric.',
  unistr: 'Write the letters themselves.',
  normalize: 'Normalize the text when the record is ingested.',
  hashtext: 'Write md5(x).',
  array_fill: 'Write the array out.',
  num_nulls: 'Add up case when x is null then 1 else 0 end.',
  num_nonnulls: 'Add up case when x is null then 0 else 1 end.',
  gen_random_uuid: 'Make the value when the record is ingested.',
};

/** Functions of PostgreSQL 18 that RisingWave 2.8 has not (builtin_scalar.rs, expr.proto), but for its inner and geometric ones. */
const absent: ReadonlySet<string> = new Set([
  ...Object.keys(remedies),
  ...`array_sample array_shuffle array_to_json casefold convert currval date_add date_subtract daterange
datemultirange enum_first enum_last enum_range erf erfc family host hostmask inet_merge int4range int8range isempty
json_array_length json_each json_extract_path json_extract_path_text json_object json_object_keys json_populate_record
json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_path_query_tz
jsonb_populate_record_valid jsonb_set_lax lastval lower_inc lower_inf masklen netmask network nextval numrange
parse_ident plainto_tsquery random_normal range_agg range_intersect_agg range_merge regexp_instr regr_avgx regr_avgy
regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy set_masklen setseed setval similar_escape
to_bin to_oct to_tsquery to_tsvector tsrange tstzrange unicode_assigned upper_inc upper_inf uuidv4 uuidv7
uuid_extract_timestamp uuid_extract_version websearch_to_tsquery timeofday xmlagg xpath phraseto_tsquery hashtextextended
hash_array hashint4 hashint8 ts_rank ts_headline row_security_active`.split(/\s+/),
]);

/** Another name for the same function. */
const renamed: Readonly<Record<string, string>> = {
  every: 'bool_and',
  stddev: 'stddev_samp',
  variance: 'var_samp',
};

const operators: Readonly<Record<string, string>> = {
  '~*': "Write lower(x) ~ lower(pattern), or regexp_match(x, pattern, 'i') is not null.",
  '!~*': "Write regexp_match(x, pattern, 'i') is null.",
  '&&': 'Ask for each element: x = any(a) or y = any(a).',
  '-|-': 'There are no ranges; compare their ends.',
  '@@@': 'There is no text search.',
};

export const functionRules: readonly Rule[] = [
  {
    effect: 'refused',
    what: 'functions of PostgreSQL that it does not know',
    remedy:
      'Compute the value otherwise, or when the record is ingested; a macro risingwave__NAME holds the form for this engine.',
    example: 'select width_bucket(x, 0, 10, 5) as b, regr_slope(x, y) as s from t',
    on: ['FuncCall'],
    find: ({ node }) => {
      const name = calledName(node);
      if (!absent.has(name) || isOwn(node)) return false;
      if (name === 'age' && argumentsOf(node).length < 2) return false;
      const remedy = remedies[name];
      return { what: `the function ${name}()`, ...(remedy === undefined ? {} : { remedy }) };
    },
  },
  ...Object.entries(renamed).map(([name, known]): Rule => ({
    effect: 'refused',
    what: `the function ${name}()`,
    remedy: `Write ${known}, which is the same.`,
    example: `select ${name}(x) as v from t`,
    on: ['FuncCall'],
    find: ({ node }) => calledName(node) === name && !isOwn(node),
    rewrite: ({ node, text }) => {
      const from = text.at(node['location']);
      const token = from === undefined ? undefined : text.tokens[text.tokenAt(from)];
      return token?.text === name ? [{ range: token, parts: [known] }] : undefined;
    },
  })),
  {
    effect: 'refused',
    what: 'operators of PostgreSQL that it does not know',
    remedy: 'Write it with functions.',
    example: "select x ~* 'a' as b, x && y as o from t",
    on: ['A_Expr'],
    find: ({ node }) => {
      const operator = operatorOf(node);
      const remedy = operators[operator];
      return remedy !== undefined && { what: `the operator ${operator}`, remedy };
    },
  },
  {
    effect: 'refused',
    what: 'trunc() with digits',
    remedy: 'Write trunc(x * 100) / 100.',
    example: 'select trunc(x, 1) as y from t',
    on: ['FuncCall'],
    find: ({ node }) => calledName(node) === 'trunc' && argumentsOf(node).length === 2,
  },
  {
    effect: 'refused',
    what: 'format() with %L',
    remedy: 'Write quote_literal(x) and %s.',
    example: "select format('%L', x) as y from t",
    on: ['FuncCall'],
    find: ({ node }) =>
      calledName(node) === 'format' && /%[\d$-]*L/.test(constantText(argumentsOf(node)[0]) ?? ''),
  },
  {
    effect: 'refused',
    what: 'to_char() of numbers',
    remedy: 'Round and cast: round(x, 2)::text, with lpad() where it must have a width.',
    example: "select to_char(x, '990.00') as y from t",
    on: ['FuncCall'],
    find: ({ node, typeOf }) => {
      if (calledName(node) !== 'to_char') return false;
      const [value, format] = argumentsOf(node);
      const type = typeOf(value);
      if (type !== undefined) return ['integer', 'numeric', 'float'].includes(type);
      return (
        /^[\s90.,SGDLVMIPRNFTHth$+-]*[90][\s\S]*$/.test(constantText(format) ?? '') &&
        !/[YHW]|MI:|DD/.test(constantText(format) ?? '')
      );
    },
  },
  {
    effect: 'refused',
    what: 'jsonb_object_agg() with a key that is no text',
    remedy: 'Cast the key: jsonb_object_agg(k::text, v).',
    example: 'select jsonb_object_agg(1, x) as o from t group by k',
    on: ['FuncCall'],
    find: ({ node, typeOf }) => {
      const key = typeOf(argumentsOf(node)[0]);
      return calledName(node) === 'jsonb_object_agg' && key !== undefined && key !== 'text';
    },
  },
  ...(['percentile_cont', 'percentile_disc', 'mode'] as const).map((name): Rule => ({
    effect: 'refused',
    what: `${name}() in a view`,
    remedy: 'Use approx_percentile(fraction, error) within group (order by x).',
    example: `select ${name}(${name === 'mode' ? '' : '0.5'}) within group (order by x) as p from t`,
    on: ['FuncCall'],
    find: ({ node, maintained }) => maintained && calledName(node) === name,
  })),
  {
    effect: 'refused',
    what: 'random() in a view',
    remedy: 'Make the value when the record is ingested.',
    example: 'select random() as r from t',
    on: ['FuncCall'],
    find: ({ node, maintained }) => maintained && calledName(node) === 'random',
  },
  {
    effect: 'refused',
    what: 'power() whose answer is too large for its type',
    remedy: 'Cast one side: power(x::numeric, y), and see that the answer has at most 28 digits.',
    example: 'select power(10, 400) as p from t',
    on: ['FuncCall'],
    find: ({ node }) => {
      if (!['power', 'pow'].includes(calledName(node))) return false;
      const [base, exponent] = argumentsOf(node).map(constantNumber);
      return base !== undefined && exponent !== undefined && Math.abs(base ** exponent) === Infinity;
    },
  },
];

/** A function of a schema of the user's own. */
function isOwn(call: Tree): boolean {
  const [schema, ...rest] = texts(call['funcname']);
  return rest.length > 0 && schema !== 'pg_catalog';
}

function constantNumber(value: unknown): number | undefined {
  const constant = inner(value, 'A_Const');
  if (constant === undefined) return undefined;
  if (isTree(constant['ival'])) return Number(constant['ival']['ival'] ?? 0);
  return isTree(constant['fval']) ? Number(constant['fval']['fval']) : undefined;
}

/** What Materialize refuses. Sources: its parser and documents, as docs/engines.md lists them. */
import type { Rule } from './rule.ts';
import { argumentsOf, calledName, frame, isTree, operatorOf } from './tree.ts';
import type { Tree } from './tree.ts';

const absent: Readonly<Record<string, string>> = {
  percentile_cont: 'Compute the rank with row_number() and pick the row.',
  percentile_disc: 'Compute the rank with row_number() and pick the row.',
  mode: 'Count the values and take the first with distinct on.',
  ntile: 'Number the rows with row_number() and divide.',
  percent_rank: 'Divide rank() by the count.',
  cume_dist: 'Divide row_number() by the count.',
  nth_value: 'Number the rows with row_number() and pick one in a filter.',
  grouping: 'Write one select for each grouping and union all.',
  json_agg: 'Write jsonb_agg: there is no type json.',
  json_object_agg: 'Write jsonb_object_agg: there is no type json.',
  json_build_object: 'Write jsonb_build_object: there is no type json.',
  json_build_array: 'Write jsonb_build_array: there is no type json.',
  to_json: 'Write to_jsonb: there is no type json.',
  row_to_json: 'Name the columns: jsonb_build_object(...).',
  jsonb_set: 'Build the document anew, or concatenate with ||.',
  jsonb_insert: 'Build the document anew, or concatenate with ||.',
  jsonb_path_query: 'Take the parts out with -> and jsonb_array_elements.',
  jsonb_path_exists: 'Take the parts out with -> and jsonb_array_elements.',
  jsonb_to_record: "Take the fields out one by one: (value ->> 'name')::type.",
  jsonb_to_recordset: "Unfold with jsonb_array_elements and take the fields out: (value ->> 'name')::type.",
  to_date: 'Cast the text: x::date.',
  make_timestamp: 'Cast a text: (...)::timestamp.',
  make_timestamptz: 'Cast a text: (...)::timestamptz.',
  gen_random_uuid: 'Make the value when the record is ingested.',
  random: 'Make the value when the record is ingested.',
};

const operators: Readonly<Record<string, string>> = {
  '?|': 'Ask for each key: (x ? a) or (x ? b).',
  '?&': 'Ask for each key: (x ? a) and (x ? b).',
  '#-': 'Build the document anew without the path.',
  '@?': 'Take the parts out with -> and jsonb_array_elements.',
  '@@': 'Take the parts out with -> and jsonb_array_elements.',
};

const clocks = ['now', 'clock_timestamp', 'statement_timestamp', 'transaction_timestamp'];
const windows = ['over', 'WindowDef'];

const refused = (
  what: string,
  remedy: string,
  example: string,
  on: readonly string[],
  find: Rule['find'],
): Rule => ({ effect: 'refused', what, remedy, example, on, find });

export const materializeRules: readonly Rule[] = [
  refused(
    'GROUPING SETS, ROLLUP and CUBE',
    'Write one select for each grouping and union all.',
    'select a, count(*) as n from t group by rollup (a)',
    ['GroupingSet'],
    () => true,
  ),
  refused(
    'WITH RECURSIVE',
    'Write with mutually recursive, with the types of the columns.',
    'with recursive r as (select 1 as n union select n + 1 from r) select n from r',
    ['WithClause', 'withClause'],
    ({ node }) => node['recursive'] === true,
  ),
  refused(
    'a WINDOW clause',
    'Write the window out: over (partition by ...).',
    'select sum(a) over w as s from t window w as (partition by b)',
    ['SelectStmt', 'larg', 'rarg'],
    ({ node }) => node['windowClause'] !== undefined && { at: node['windowClause'] },
  ),
  refused(
    'FETCH FIRST ... WITH TIES',
    'Filter by rank().',
    'select a from t order by a fetch first 1 row with ties',
    ['SelectStmt', 'larg', 'rarg'],
    ({ node }) => node['limitOption'] === 'LIMIT_OPTION_WITH_TIES' && { at: node['limitCount'] },
  ),
  refused(
    'AS [NOT] MATERIALIZED of a CTE',
    'Leave it out.',
    'with c as materialized (select a from t) select a from c',
    ['CommonTableExpr'],
    ({ node }) =>
      node['ctematerialized'] !== undefined && node['ctematerialized'] !== 'CTEMaterializeDefault',
  ),
  refused(
    'COLLATE',
    'Leave it out: text is ordered by bytes there.',
    'select a collate "C" as a from t',
    ['CollateClause'],
    () => true,
  ),
  refused(
    'TABLESAMPLE',
    'Filter by a hash of the key.',
    'select a from t tablesample system (10)',
    ['RangeTableSample'],
    () => true,
  ),
  refused(
    'a list of column definitions',
    'Take the fields out one by one.',
    "select x.a from f('{}') as x(a int)",
    ['RangeFunction'],
    ({ node }) => node['coldeflist'] !== undefined,
  ),
  refused('FOR UPDATE', 'Leave it out.', 'select a from t for update', ['LockingClause'], () => true),
  refused(
    'operators of PostgreSQL that it does not know',
    'Write it with functions.',
    "select j ?| array['a'] as k from t",
    ['A_Expr'],
    ({ node }) => {
      const operator = operatorOf(node);
      const remedy = operators[operator];
      return remedy !== undefined && { what: `the operator ${operator}`, remedy };
    },
  ),
  refused(
    'functions of PostgreSQL that it does not know',
    'Compute the value otherwise, or when the record is ingested.',
    'select percentile_disc(0.5) within group (order by a) as p from t',
    ['FuncCall'],
    ({ node }) => {
      const name = calledName(node);
      const remedy = absent[name];
      return remedy !== undefined && { what: `the function ${name}()`, remedy };
    },
  ),
  refused(
    'now() in a view',
    'Compare mz_now() with a column plus an interval in WHERE; a macro materialize__NAME holds the form for this engine.',
    'select now() as n from t',
    ['FuncCall', 'SQLValueFunction'],
    ({ kind, node, maintained }) =>
      maintained &&
      (kind === 'FuncCall' ? clocks.includes(calledName(node)) : /DATE|TIME/.test(String(node['op']))),
  ),
  refused(
    'mz_now() in FILTER',
    'Put the condition into WHERE of a query of its own.',
    'select count(*) filter (where mz_now() < a) as n from t',
    ['FuncCall'],
    ({ node, clause }) => calledName(node) === 'mz_now' && clause === 'filter',
  ),
  refused(
    'a GROUPS frame',
    'Use ROWS.',
    'select sum(a) over (order by b groups 1 preceding) as s from t',
    windows,
    ({ node }) => (optionsOf(node) & frame.groups) !== 0,
  ),
  refused(
    'a RANGE frame with an offset',
    'Join with the rows of the range, or use ROWS.',
    "select sum(a) over (order by b range between interval '1 day' preceding and current row) as s from t",
    windows,
    ({ node }) =>
      (optionsOf(node) & frame.range) !== 0 &&
      (optionsOf(node) & (frame.startOffset | frame.endOffset)) !== 0,
  ),
  refused(
    'EXCLUDE of a frame',
    'Leave the rows out in a condition.',
    'select sum(a) over (order by b rows 1 preceding exclude ties) as s from t',
    windows,
    ({ node }) => (optionsOf(node) & (frame.excludeGroup | frame.excludeTies)) !== 0,
  ),
  refused(
    'FILTER of a window function',
    'Write the condition as case when ... then x end.',
    'select sum(a) filter (where a > 1) over (partition by b) as s from t',
    ['FuncCall'],
    ({ node }) => isTree(node['over']) && node['agg_filter'] !== undefined && argumentsOf(node).length > 0,
  ),
];

function optionsOf(window: Tree): number {
  return Number(window['frameOptions'] ?? 0);
}

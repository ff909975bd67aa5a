/** What Materialize has not. Sources: its parser and documents, as docs/engines.md lists them. */
import { calledName, frame, isTree, listOf, texts } from './lack.ts';
import type { Place, Tree } from './lack.ts';

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

export function materializeLacks(place: Place): void {
  const { kind, node, maintained, lack } = place;
  switch (kind) {
    case 'GroupingSet':
      return lack('GROUPING SETS, ROLLUP and CUBE', 'Write one select for each grouping and union all.');
    case 'WithClause':
    case 'withClause':
      if (node['recursive'] === true)
        lack('WITH RECURSIVE', 'Write with mutually recursive, with the types of the columns.');
      return;
    case 'SelectStmt':
    case 'larg':
    case 'rarg':
      if (node['windowClause'] !== undefined)
        lack('a WINDOW clause', 'Write the window out: over (partition by ...).', node['windowClause']);
      if (node['limitOption'] === 'LIMIT_OPTION_WITH_TIES')
        lack('FETCH FIRST ... WITH TIES', 'Filter by rank().', node['limitCount']);
      return;
    case 'CommonTableExpr':
      if (node['ctematerialized'] !== undefined && node['ctematerialized'] !== 'CTEMaterializeDefault')
        lack('AS [NOT] MATERIALIZED of a CTE', 'Leave it out.');
      return;
    case 'CollateClause':
      return lack('COLLATE', 'Leave it out: text is ordered by bytes there.');
    case 'RangeTableSample':
      return lack('TABLESAMPLE', 'Filter by a hash of the key.');
    case 'RangeFunction':
      if (node['coldeflist'] !== undefined)
        lack('a list of column definitions', 'Take the fields out one by one.');
      return;
    case 'LockingClause':
      return lack('FOR UPDATE', 'Leave it out.');
    case 'A_Expr': {
      const name = texts(node['name']).join();
      const remedy = operators[name];
      if (remedy !== undefined) lack(`the operator ${name}`, remedy);
      return;
    }
    case 'SQLValueFunction':
      if (maintained && /TIMESTAMP|DATE|TIME/.test(String(node['op']))) clock(place);
      return;
    case 'FuncCall':
      return call(place);
    default:
  }
}

function call(place: Place): void {
  const { node, maintained, lack } = place;
  const name = calledName(node);
  const remedy = absent[name];
  if (remedy !== undefined) lack(`the function ${name}()`, remedy);
  if (maintained && clocks.includes(name)) clock(place);
  if (name === 'mz_now' && place.clause === 'filter')
    lack('mz_now() in FILTER', 'Put the condition into WHERE of a query of its own.');
  const over = node['over'];
  if (isTree(over)) window(place, over);
}

function window({ node, lack }: Place, over: Tree): void {
  const options = Number(over['frameOptions'] ?? 0);
  if ((options & frame.groups) !== 0) lack('a GROUPS frame', 'Use ROWS.');
  if ((options & frame.range) !== 0 && (options & (frame.startOffset | frame.endOffset)) !== 0)
    lack('a RANGE frame with an offset', 'Join with the rows of the range, or use ROWS.');
  if ((options & (frame.excludeGroup | frame.excludeTies)) !== 0)
    lack('EXCLUDE of a frame', 'Leave the rows out in a condition.');
  if (node['agg_filter'] !== undefined && listOf(node['args']).length > 0)
    lack('FILTER of a window function', 'Write the condition as case when ... then x end.');
}

function clock({ lack }: Place): void {
  lack(
    'now() in a view',
    'Compare mz_now() with a column plus an interval in WHERE; a macro materialize__NAME holds the form for this engine.',
  );
}

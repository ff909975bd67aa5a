/** What RisingWave has not. Sources: its parser, binder and planner tests, as docs/engines.md lists them. */
import { calledName, frame, isTree, listOf, texts } from './lack.ts';
import type { Place, Tree } from './lack.ts';

const absent: Readonly<Record<string, string>> = {
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
  ntile: 'Number the rows with row_number() and divide.',
  percent_rank: 'Divide rank() by the count.',
  cume_dist: 'Divide row_number() by the count.',
  nth_value: 'Number the rows with row_number() and pick one in a filter.',
  regexp_split_to_table: 'Write unnest(regexp_split_to_array(...)).',
  string_to_table: 'Write unnest(string_to_array(...)).',
};

const types: Readonly<Record<string, string>> = {
  uuid: 'Cast to text; a uuid is text there.',
  json: 'Cast to jsonb.',
  bpchar: 'Cast to text.',
  money: 'Cast to numeric.',
  xml: 'Cast to text.',
  citext: 'Cast to text.',
};

/** Words that begin a call with a syntax of its own, whatever follows them (parser_v2/expr.rs). */
const syntaxWords = /^(position|extract|substring|overlay|trim|try_cast|normalize)\b(?!\s*\()/;

export function risingwaveLacks(place: Place): void {
  const { kind, node, lack } = place;
  switch (kind) {
    case 'SelectStmt':
      return select(place);
    case 'larg':
    case 'rarg':
      // A side of UNION; a side of a join is wrapped in its kind.
      if (node['limitOption'] !== undefined) select(place);
      return;
    case 'WithClause':
    case 'withClause':
      if (node['recursive'] === true) lack('a recursive CTE', 'Write out as many rounds as are needed.');
      return;
    case 'CommonTableExpr':
      if (node['ctematerialized'] !== undefined && node['ctematerialized'] !== 'CTEMaterializeDefault')
        lack('AS [NOT] MATERIALIZED of a CTE', 'Leave it out.');
      return;
    case 'RangeFunction':
      if (node['lateral'] === true)
        lack('LATERAL with a function', 'Unfold in the select list: select ..., jsonb_array_elements(x).');
      if (node['coldeflist'] !== undefined)
        lack('a list of column definitions', 'Take the fields out one by one.');
      return;
    case 'RangeTableSample':
      return lack('TABLESAMPLE', 'Filter by a hash of the key.');
    case 'CollateClause':
      return lack('COLLATE', 'Leave it out: text is ordered by bytes there.');
    case 'LockingClause':
      return lack('FOR UPDATE', 'Leave it out.');
    case 'TypeName':
    case 'typeName':
      return typeName(place);
    case 'FuncCall':
      return call(place);
    case 'ColumnRef': {
      const word = syntaxWords.exec(place.written())?.[0];
      if (word !== undefined)
        lack(`a column called ${word} without quotes`, `Write "${word}": it reads the word as a function.`);
      return;
    }
    case 'SQLValueFunction':
      if (place.maintained) clock(place);
      return;
    case 'JoinExpr':
      return join(place);
    default:
  }
}

function select({ node, maintained, lack }: Place): void {
  const set = { SETOP_INTERSECT: 'INTERSECT', SETOP_EXCEPT: 'EXCEPT' }[String(node['op'])];
  if (set !== undefined && node['all'] === true)
    lack(
      `${set} ALL`,
      'Count the rows of both sides: union all with weights 1 and -1, group by, having sum.',
    );
  if (!maintained) return;
  for (const key of [...listOf(node['groupClause']), ...listOf(node['distinctClause'])])
    if (isJsonb(key)) lack('jsonb as a key of groups', 'Cast it to text: (x)::text.', key);
  const relations = listOf(node['fromClause']).filter(isIndependent);
  if (relations.length > 1 && !hasEquality(node['whereClause']))
    lack('a join without an equality of columns', 'Join by a column that both sides have.', relations[1]);
}

/** A relation that does not depend on the ones before it. */
function isIndependent(item: Tree): boolean {
  return item['RangeVar'] !== undefined || (item['RangeSubselect'] !== undefined && !isLateral(item));
}

function join({ node, maintained, lack }: Place): void {
  if (!maintained || node['usingClause'] !== undefined || node['isNatural'] === true) return;
  const right = node['rarg'];
  if (isTree(right) && (right['RangeFunction'] !== undefined || isLateral(right))) return;
  if (hasEquality(node['quals'])) return;
  lack(
    'a join without an equality of columns',
    'Join by a column that both sides have; a comparison alone has no index to follow.',
    right,
  );
}

function isLateral(item: Tree): boolean {
  return (item['RangeSubselect'] as Tree | undefined)?.['lateral'] === true;
}

/** Whether a condition has, under AND, an equality whose sides both name a column. */
function hasEquality(condition: unknown): boolean {
  if (!isTree(condition)) return false;
  const bool = condition['BoolExpr'] as Tree | undefined;
  if (bool !== undefined) return bool['boolop'] === 'AND_EXPR' && listOf(bool['args']).some(hasEquality);
  const comparison = condition['A_Expr'] as Tree | undefined;
  if (comparison === undefined || comparison['kind'] !== 'AEXPR_OP') return false;
  return (
    texts(comparison['name']).join() === '=' &&
    namesColumn(comparison['lexpr']) &&
    namesColumn(comparison['rexpr'])
  );
}

function namesColumn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesColumn);
  if (!isTree(value)) return false;
  return value['ColumnRef'] !== undefined || Object.values(value).some(namesColumn);
}

function isJsonb(key: Tree): boolean {
  const name = isTree(key['FuncCall']) ? calledName(key['FuncCall']) : '';
  if (/^(to_)?jsonb(_|$)/.test(name)) return true;
  const operator = key['A_Expr'] as Tree | undefined;
  if (operator !== undefined) return ['->', '#>'].includes(texts(operator['name']).join());
  return isTree(key['TypeCast']) && texts((key['TypeCast']['typeName'] as Tree)['names']).includes('jsonb');
}

function typeName({ node, lack }: Place): void {
  const name = texts(node['names']).at(-1) ?? '';
  const remedy = types[name];
  if (remedy !== undefined) return lack(`the type ${name === 'bpchar' ? 'char(n)' : name}`, remedy);
  if (listOf(node['typmods']).length === 0) return;
  if (name === 'varchar') lack('varchar with a length', 'Cast to text.');
  if (name === 'numeric') lack('numeric with a precision', 'Cast to numeric, and round().');
  if (/^time(stamp)?(tz)?$/.test(name)) lack(`${name} with a precision`, 'Leave the precision out.');
}

function call(place: Place): void {
  const { node, maintained, lack } = place;
  const name = calledName(node);
  const remedy = absent[name];
  if (remedy !== undefined) lack(`the function ${name}()`, remedy);
  if (maintained && ['percentile_cont', 'percentile_disc', 'mode'].includes(name))
    lack(`${name}() in a view`, 'Use approx_percentile(fraction, error) within group (order by x).');
  if (maintained && ['now', 'clock_timestamp', 'statement_timestamp'].includes(name)) clock(place);
  if (maintained && ['random', 'gen_random_uuid'].includes(name))
    lack(`${name}() in a view`, 'Make the value when the record is ingested.');
  const over = node['over'];
  if (isTree(over)) window(place, name, over);
}

function window({ node, maintained, lack }: Place, name: string, over: Tree): void {
  if (maintained && over['name'] === undefined && listOf(over['partitionClause']).length === 0)
    lack('a window without PARTITION BY', 'Add partition by 1::int, if it must be one partition.');
  if ((name === 'lag' || name === 'lead') && listOf(node['args']).length > 2)
    lack(`${name}() with a default`, `Write coalesce(${name}(x, 1) over (...), default).`);
  if (node['agg_filter'] !== undefined)
    lack('FILTER of a window function', 'Write the condition as case when ... then x end.');
  const options = Number(over['frameOptions'] ?? 0);
  if ((options & frame.groups) !== 0) lack('a GROUPS frame', 'Use ROWS or RANGE.');
  if ((options & (frame.excludeGroup | frame.excludeTies)) !== 0)
    lack('EXCLUDE GROUP or TIES', 'Leave the rows out in a condition.');
}

function clock({ clause, lack }: Place): void {
  if (clause === 'where') return;
  lack('now() outside of WHERE, HAVING and ON', 'Compare a column with now() minus an interval in WHERE.');
}

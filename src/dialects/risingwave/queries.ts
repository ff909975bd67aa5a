import type { Place, Rule } from '../rule.ts';
import { anywhere, calledName, inner, isTree, listOf, meaningOf, operatorOf, texts } from '../tree.ts';
import type { Tree } from '../tree.ts';

/** Words that begin a call with a syntax of its own, whatever follows them (parser_v2/expr.rs). */
const syntaxWords = /^(position|extract|substring|overlay|trim|try_cast|normalize|interval)$/;
const clocks: ReadonlySet<string> = new Set(
  'now clock_timestamp statement_timestamp transaction_timestamp'.split(' '),
);
const selects = ['SelectStmt', 'larg', 'rarg'] as const;

export const queryRules: readonly Rule[] = [
  ...(
    [
      ['SETOP_INTERSECT', 'INTERSECT'],
      ['SETOP_EXCEPT', 'EXCEPT'],
    ] as const
  ).map(([operation, word]): Rule => ({
    effect: 'refused',
    what: `${word} ALL`,
    remedy: 'Count the rows of both sides: union all with weights 1 and -1, group by, having sum.',
    example: `select a from t ${word.toLowerCase()} all select a from u`,
    on: selects,
    find: ({ node }) => isSelect(node) && node['op'] === operation && node['all'] === true,
  })),
  {
    effect: 'refused',
    what: 'jsonb as a key of groups',
    remedy: 'Cast it to text: (x)::text.',
    example: "select j -> 'x' as k from t group by j -> 'x'",
    on: selects,
    find: ({ node, maintained, typeOf }) =>
      maintained && isSelect(node)
        ? [...listOf(node['groupClause']), ...listOf(node['distinctClause'])]
            .filter((key) => typeOf(key) === 'jsonb')
            .map((at) => ({ at }))
        : false,
  },
  {
    effect: 'refused',
    what: 'a join without an equality of columns',
    remedy: 'Join by a column that both sides have; a comparison alone has no index to follow.',
    example: 'select t.a from t, u where t.a < u.a',
    on: selects,
    find: ({ node, maintained }) => {
      if (!maintained || !isSelect(node)) return false;
      const relations = listOf(node['fromClause']).filter(isIndependent);
      return relations.length > 1 && !hasEquality(node['whereClause']) && { at: relations[1] };
    },
  },
  {
    effect: 'refused',
    what: 'a join without an equality of columns',
    remedy: 'Join by a column that both sides have; a comparison alone has no index to follow.',
    example: 'select t.a from t join u on t.a < u.a',
    on: ['JoinExpr'],
    find: ({ node, maintained }) => {
      if (!maintained || node['usingClause'] !== undefined || node['isNatural'] === true) return false;
      const right = node['rarg'];
      if (isTree(right) && (right['RangeFunction'] !== undefined || isLateral(right))) return false;
      return !hasEquality(node['quals']) && { at: right };
    },
  },
  {
    effect: 'refused',
    what: 'several DISTINCT aggregates without GROUP BY',
    remedy:
      'Name the columns in a subquery, and add group by 1::int: from (select a, b from t) as t group by 1::int.',
    example: 'select count(distinct a) as p, count(distinct b) as o from t',
    on: selects,
    find: ({ node, maintained }) => {
      if (!maintained || !isSelect(node) || node['groupClause'] !== undefined) return false;
      const distinct = distinctAggregates(node);
      return distinct.length > 1 && { at: distinct[0] };
    },
  },
  {
    effect: 'value',
    what: 'several DISTINCT aggregates in a query that is asked once are counted wrong where one is of a key (2.8)',
    remedy: 'Count each in a query of its own, or in a model: a view is kept right.',
    example: 'select count(distinct a) as p, count(distinct b) as o from t',
    answers: ['52023, 21', '52023, 1'],
    on: selects,
    find: ({ node, maintained }) => !maintained && isSelect(node) && distinctAggregates(node).length > 1,
  },
  {
    effect: 'refused',
    what: 'a recursive CTE',
    remedy: 'Write out as many rounds as are needed.',
    example: 'with recursive r as (select 1 as n union select n + 1 from r) select n from r',
    on: ['WithClause', 'withClause'],
    find: ({ node }) => node['recursive'] === true,
  },
  {
    effect: 'refused',
    what: 'AS [NOT] MATERIALIZED of a CTE',
    remedy: 'Leave it out.',
    example: 'with c as materialized (select a from t) select a from c',
    on: ['CommonTableExpr'],
    find: ({ node }) =>
      node['ctematerialized'] !== undefined && node['ctematerialized'] !== 'CTEMaterializeDefault',
  },
  {
    effect: 'refused',
    what: 'LATERAL with a function',
    remedy: 'Unfold in the select list: select ..., jsonb_array_elements(x).',
    example: 'select e from t cross join lateral jsonb_array_elements(t.j) as e',
    on: ['RangeFunction'],
    find: ({ node }) => node['lateral'] === true,
  },
  {
    effect: 'refused',
    what: 'a list of column definitions',
    remedy: 'Take the fields out one by one.',
    example: "select x.a from jsonb_to_record('{}'::jsonb) as x(a int)",
    on: ['RangeFunction'],
    find: ({ node }) => node['coldeflist'] !== undefined,
  },
  {
    effect: 'refused',
    what: 'TABLESAMPLE',
    remedy: 'Filter by a hash of the key.',
    example: 'select a from t tablesample system (10)',
    on: ['RangeTableSample'],
    find: () => true,
  },
  {
    effect: 'refused',
    what: 'FOR UPDATE',
    remedy: 'Leave it out.',
    example: 'select a from t for update',
    on: ['LockingClause'],
    find: () => true,
  },
  {
    effect: 'refused',
    what: 'a column called position without quotes',
    remedy: 'Write "position": it reads the word as a function.',
    example: 'select t.a from t where position is null',
    on: ['ColumnRef'],
    find: (place) => {
      const word = syntaxWord(place);
      return (
        word !== undefined && {
          what: `a column called ${word} without quotes`,
          remedy: `Write "${word}": it reads the word as a function.`,
        }
      );
    },
    rewrite: (place) => {
      const { from, to } = firstToken(place)!;
      return [{ range: { from, to }, parts: [`"${syntaxWord(place)!}"`] }];
    },
  },
  {
    effect: 'refused',
    what: 'a name with a quotation mark in it',
    remedy: 'Call it otherwise: it knows no "" inside of quotes.',
    example: 'select a as "b""c" from t',
    on: ['ResTarget', 'ColumnRef', 'RangeVar', 'Alias', 'alias', 'CommonTableExpr', 'ColumnDef'],
    find: ({ kind, node }) => {
      const names = [
        ...(kind === 'ColumnRef' ? texts(node['fields']) : []),
        ...[node['name'], node['relname'], node['aliasname'], node['ctename'], node['schemaname']],
        ...texts(node['colnames']),
        ...texts(node['aliascolnames']),
      ];
      return names.some((name) => typeof name === 'string' && name.includes('"'));
    },
  },
  {
    effect: 'refused',
    what: 'now() outside of WHERE, HAVING and ON',
    remedy: 'Compare a column with now() minus an interval in WHERE.',
    example: 'select now() as n from t',
    on: ['FuncCall', 'SQLValueFunction'],
    find: ({ kind, node, clause, maintained }) => maintained && clause !== 'where' && isClock(kind, node),
  },
  {
    effect: 'refused',
    what: 'several conditions on now() with OR between them',
    remedy: 'Write a query for each condition, and union them.',
    example: "select a from t where u > now() - interval '1 hour' or u < now() - interval '2 hours'",
    on: ['BoolExpr'],
    find: ({ node, clause, maintained }) =>
      maintained &&
      clause === 'where' &&
      node['boolop'] === 'OR_EXPR' &&
      listOf(node['args']).filter((arm) => anywhere(arm, isClock)).length > 1,
  },
];

function isSelect(node: Tree): boolean {
  // A side of UNION; a side of a join is wrapped in its kind.
  return node['limitOption'] !== undefined;
}

/** The aggregates of different values that a query takes with DISTINCT. */
function distinctAggregates(select: Tree): Tree[] {
  const distinct = new Map<string, Tree>();
  anywhere([select['targetList'], select['havingClause']], (kind, call) => {
    if (kind === 'FuncCall' && call['agg_distinct'] === true) distinct.set(meaningOf(call['args']), call);
    return false;
  });
  return [...distinct.values()];
}

function isClock(kind: string, node: Tree): boolean {
  if (kind === 'FuncCall') return clocks.has(calledName(node));
  return kind === 'SQLValueFunction' && /TIME|DATE/.test(String(node['op']));
}

function firstToken({ node, text }: Place) {
  const from = text.at(node['location']);
  return from === undefined ? undefined : text.tokens[text.tokenAt(from)];
}

function syntaxWord(place: Place): string | undefined {
  const token = firstToken(place);
  return token === undefined ? undefined : syntaxWords.exec(token.text)?.[0];
}

/** A relation that does not depend on the ones before it. */
function isIndependent(item: Tree): boolean {
  return item['RangeVar'] !== undefined || (item['RangeSubselect'] !== undefined && !isLateral(item));
}

function isLateral(item: Tree): boolean {
  return inner(item, 'RangeSubselect')?.['lateral'] === true;
}

/** Whether a condition has, under AND, an equality whose sides both name a column. */
function hasEquality(condition: unknown): boolean {
  const bool = inner(condition, 'BoolExpr');
  if (bool !== undefined) return bool['boolop'] === 'AND_EXPR' && listOf(bool['args']).some(hasEquality);
  const comparison = inner(condition, 'A_Expr');
  if (comparison === undefined || operatorOf(comparison) !== '=') return false;
  const sides = [comparison['lexpr'], comparison['rexpr']];
  return sides.every((side) => anywhere(side, (kind) => kind === 'ColumnRef'));
}

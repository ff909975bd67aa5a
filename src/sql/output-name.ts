import type { Node, TypeName } from 'libpg-query';

/**
 * The name PostgreSQL gives a column of a query that has no alias (`FigureColname` in parse_target.c), from the parse
 * tree of its expression.
 */
export function outputName(expression: Node): string {
  return figure(expression)?.name ?? '?column?';
}

interface Figure {
  readonly name: string;
  /** A cast's own name counts only where its operand has none as good. */
  readonly weak: boolean;
}

function figure(node: Node | undefined): Figure | undefined {
  if (node === undefined) return undefined;
  if ('ColumnRef' in node) return lastText(node.ColumnRef.fields);
  if ('A_Indirection' in node)
    return lastText(node.A_Indirection.indirection) ?? figure(node.A_Indirection.arg);
  if ('FuncCall' in node) return lastText(node.FuncCall.funcname);
  if ('A_Expr' in node) return node.A_Expr.kind === 'AEXPR_NULLIF' ? strong('nullif') : undefined;
  if ('TypeCast' in node) {
    const inner = figure(node.TypeCast.arg);
    return inner !== undefined && !inner.weak ? inner : (typeFigure(node.TypeCast.typeName) ?? inner);
  }
  if ('CollateClause' in node) return figure(node.CollateClause.arg);
  if ('GroupingFunc' in node) return strong('grouping');
  if ('MergeSupportFunc' in node) return strong('merge_action');
  if ('SubLink' in node) {
    const { subLinkType, subselect } = node.SubLink;
    if (subLinkType === 'EXISTS_SUBLINK') return strong('exists');
    if (subLinkType === 'ARRAY_SUBLINK') return strong('array');
    if (subLinkType !== 'EXPR_SUBLINK' || subselect === undefined || !('SelectStmt' in subselect))
      return undefined;
    const target = subselect.SelectStmt.targetList?.[0];
    if (target === undefined || !('ResTarget' in target)) return undefined;
    return target.ResTarget.name === undefined ? figure(target.ResTarget.val) : strong(target.ResTarget.name);
  }
  if ('CaseExpr' in node) {
    const inner = figure(node.CaseExpr.defresult);
    return inner !== undefined && !inner.weak ? inner : { name: 'case', weak: true };
  }
  if ('A_ArrayExpr' in node) return strong('array');
  if ('RowExpr' in node) return strong('row');
  if ('CoalesceExpr' in node) return strong('coalesce');
  if ('MinMaxExpr' in node) return strong(node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest');
  if ('SQLValueFunction' in node) return valueFunction(String(node.SQLValueFunction.op));
  if ('XmlExpr' in node) return strong(String(node.XmlExpr.op).replace(/^IS_/, '').toLowerCase());
  if ('XmlSerialize' in node) return strong('xmlserialize');
  for (const [kind, name] of jsonNames) if (kind in node) return strong(name);
  if ('JsonFuncExpr' in node) return strong(String(node.JsonFuncExpr.op).replace(/_OP$/, '').toLowerCase());
  return undefined;
}

const jsonNames = [
  ['JsonParseExpr', 'json'],
  ['JsonScalarExpr', 'json_scalar'],
  ['JsonSerializeExpr', 'json_serialize'],
  ['JsonObjectConstructor', 'json_object'],
  ['JsonArrayConstructor', 'json_array'],
  ['JsonArrayQueryConstructor', 'json_array'],
  ['JsonObjectAgg', 'json_objectagg'],
  ['JsonArrayAgg', 'json_arrayagg'],
] as const;

/** `SVFOP_CURRENT_TIMESTAMP_N` → `current_timestamp`. */
function valueFunction(op: string): Figure {
  return strong(
    op
      .replace(/^SVFOP_/, '')
      .replace(/_N$/, '')
      .toLowerCase(),
  );
}

function typeFigure(type: TypeName | undefined): Figure | undefined {
  const found = lastText(type?.names);
  return found === undefined ? undefined : { name: found.name, weak: true };
}

/** The last name of a path; a subscript or star names nothing. */
function lastText(nodes: readonly Node[] | undefined): Figure | undefined {
  const names = (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));
  return names.length === 0 ? undefined : strong(names.at(-1)!);
}

function strong(name: string): Figure {
  return { name, weak: false };
}

/** What PostgreSQL calls a column of a select list that has no alias (FigureColname in parse_target.c). */
import { inner, isTree, texts } from './tree.ts';

/** undefined: `?column?`, or a name that a rewriting does not change. */
export function columnName(expression: unknown): string | undefined {
  const call = inner(expression, 'FuncCall');
  if (call !== undefined) return texts(call['funcname']).at(-1);
  const cast = inner(expression, 'TypeCast');
  if (cast !== undefined) {
    const type = isTree(cast['typeName']) ? texts(cast['typeName']['names']).at(-1) : undefined;
    return columnName(cast['arg']) ?? type;
  }
  const column = inner(expression, 'ColumnRef');
  if (column !== undefined) return texts(column['fields']).at(-1);
  return undefined;
}

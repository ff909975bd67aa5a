import { parseStatements } from './parse.ts';

/**
 * Whether a text is a type's name and nothing else (`numeric(10, 2)`, `timestamp with time zone`, `"My Type"[]`): types come from YAML and go into DDL,
 * so PostgreSQL's own grammar must agree that they hold no more than that. `loadSqlParser` must have been awaited.
 */
export function isTypeName(text: string): boolean {
  try {
    const statements = parseStatements(`SELECT CAST(NULL AS ${text}\n)`);
    if (statements.length !== 1) return false;
    const select = (statements[0]!.node as { SelectStmt?: Record<string, unknown> }).SelectStmt;
    if (select === undefined) return false;
    const targets = select['targetList'];
    if (!Array.isArray(targets) || targets.length !== 1 || select['fromClause'] !== undefined) return false;
    const value = (targets[0] as { ResTarget?: { val?: { TypeCast?: { arg?: unknown } }; name?: string } })
      .ResTarget;
    const argument = value?.val?.TypeCast?.arg as { A_Const?: { isnull?: boolean } } | undefined;
    return argument?.A_Const?.isnull === true && Object.keys(select).every((key) => allowed.has(key));
  } catch {
    return false;
  }
}

const allowed = new Set(['targetList', 'limitOption', 'op', 'groupDistinct', 'all']);

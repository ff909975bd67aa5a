import { parseStatements, SqlSyntaxError } from '../sql/parse.ts';
import type { ProjectNodes } from './nodes-of-project.ts';
import type { Workspace } from './workspace.ts';

/** SEG314: a `where` or a field of `mapping` that is no SQL expression. Whether its columns exist is known when the sink runs. */
export function checkSinkSql(workspace: Workspace, nodes: ProjectNodes): void {
  for (const sink of nodes.sinks.values()) {
    if (!sink.config.enabled) continue;
    const expressions: [string, string][] = [
      ...(sink.where === null ? [] : [['where', sink.where] as [string, string]]),
      ...Object.entries(sink.mapping ?? {}).map(([field, sql]): [string, string] => [
        `field "${field}"`,
        sql,
      ]),
    ];
    for (const [what, sql] of expressions) {
      const mistake = mistakeIn(sql);
      if (mistake === undefined) continue;
      workspace.collector.error('SEG314', `${what} of sink "${sink.name}" is no SQL expression: ${mistake}`, {
        at: sink.at,
        hint: 'Write an expression over the columns of the model, such as lower(email); a text stands in single quotes.',
      });
    }
  }
}

function mistakeIn(sql: string): string | undefined {
  if (sql.trim() === '') return 'it is empty';
  try {
    // On a line of its own, so that a comment cannot swallow the bracket; and one expression, not the end of one.
    const [statement, more] = parseStatements(`SELECT ROW((${sql}\n))`);
    const target = (statement?.node as { SelectStmt?: { targetList?: unknown[]; fromClause?: unknown } })
      .SelectStmt;
    return more !== undefined || target?.targetList?.length !== 1 || target.fromClause !== undefined
      ? 'it is more than one expression'
      : undefined;
  } catch (error) {
    if (error instanceof SqlSyntaxError) return error.message;
    throw error;
  }
}

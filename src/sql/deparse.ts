/** Parse tree → SQL text, by pgsql-deparser; only where the text is read back as the same tree. */
import { deparseSync } from 'pgsql-deparser';
import { parseStatements } from './parse.ts';

/**
 * @param statement a statement's node as libpg-query gives it, e.g. `{ SelectStmt: ... }`
 * @returns undefined for a tree whose text would mean something else. `loadSqlParser` must have been awaited.
 */
export function deparse(statement: object): string | undefined {
  try {
    const text = deparseSync(statement, { pretty: false });
    const again = parseStatements(text);
    return again.length === 1 && meaning(again[0]!.node) === meaning(statement) ? text : undefined;
  } catch {
    // A node that the deparser does not know.
    return undefined;
  }
}

const places: ReadonlySet<string> = new Set(['location', 'list_start', 'list_end']);

function meaning(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (places.has(key) ? undefined : value));
}

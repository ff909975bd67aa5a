/**
 * Compiled SQL with other relations in it. A model that is rebuilt beside the old one must read the new versions of what
 * it reads, so the names that ref() and source() have written are replaced. They are found as text, since no parser of
 * PostgreSQL's reads every query of the streaming engines: as whole names of quoted identifiers, outside of strings and comments.
 */
const token =
  /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|"(?:[^"]|"")*"(?:\s*\.\s*"(?:[^"]|"")*")*/g;

/** @param renames by the name as ref() writes it, `"schema"."name"` */
export function renameRelations(sql: string, renames: ReadonlyMap<string, string>): string {
  if (renames.size === 0) return sql;
  return sql.replace(token, (text) => (text.startsWith('"') ? (renames.get(text) ?? text) : text));
}

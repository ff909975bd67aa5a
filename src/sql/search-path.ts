import { quoteIdentifier } from './quote.ts';

/**
 * A search_path in which PostgreSQL's own names mean what they do in a session by default, whatever tables, types and functions of the
 * same name there are: pg_catalog is searched first where it is not listed, and temporary objects last where they are.
 */
export function searchPathSql(schemas: readonly string[]): string {
  return [...schemas.filter((schema) => schema !== 'pg_catalog'), 'pg_temp'].map(quoteIdentifier).join(', ');
}

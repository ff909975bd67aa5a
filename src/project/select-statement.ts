import type { Location } from '../diagnostics/diagnostic.ts';
import { placeFor } from '../diagnostics/source-map.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Rendered } from '../jinja/template-engine.ts';
import { parseStatements, SqlSyntaxError } from '../sql/parse.ts';
import type { ParsedStatement } from '../sql/parse.ts';
import { sliceMapped } from '../jinja/mapped-text.ts';
import type { TargetType } from './profiles.ts';

/** One SELECT, without the semicolon that may have closed it. */
export interface SelectText {
  readonly rendered: Rendered;
  /** Where common table expressions can be put in: at the statement's own WITH, or before the statement. */
  readonly insert: { readonly offset: number; readonly hasWith: boolean };
}

/**
 * Checks that rendered SQL is exactly one query, and strips a closing semicolon. Throws SEG401 (syntax), SEG402 (no query),
 * SEG430 (more than one statement), SEG431 (nothing there), with the place in the template.
 * The dialects of Materialize and RisingWave know more than PostgreSQL's parser: what it refuses is left to them.
 * @param user `model "x"`
 * @param at where the node is defined, for texts that have no place of their own
 */
export function readSelect(rendered: Rendered, user: string, at: Location, type: TargetType): SelectText {
  let statements: ParsedStatement[];
  try {
    statements = parseStatements(rendered.text);
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error;
    if (type === 'materialize' || type === 'risingwave') {
      const text = rendered.text.replace(/[\s;]+$/, '');
      const withAt = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?=with\b)/i.exec(text);
      return {
        rendered: sliceMapped(rendered, 0, text.length),
        insert: withAt === null ? { offset: 0, hasWith: false } : afterWith(text, withAt[0].length),
      };
    }
    throw segError('SEG401', `${error.message} in ${user}`, {
      ...placeFor(rendered.map, error.offset, error.length, at),
      ...syntaxHint(rendered.text, error.offset),
      cause: error,
    });
  }
  const [first, second] = statements;
  if (first === undefined) {
    throw segError('SEG431', `${user} has no SQL`, { at, hint: 'Write a SELECT, or disable the node.' });
  }
  if (second !== undefined) {
    throw segError('SEG430', `more than one statement in ${user}`, {
      at: rendered.map.locate(skipBlank(rendered.text, second.start)) ?? at,
      hint: 'Keep one SELECT; other statements belong into hooks.',
    });
  }
  if (!isQuery(first.node)) {
    throw segError('SEG402', `${user} is no query: ${statementName(first.node)}`, {
      at: rendered.map.locate(skipBlank(rendered.text, first.start)) ?? at,
      hint: 'Write one SELECT; seg makes the relation from it.',
    });
  }
  const end = rendered.text.slice(0, first.end).trimEnd().length;
  const cut = /^[\s;]*$/.test(rendered.text.slice(end)) ? end : rendered.text.length;
  // With a comment after the semicolon, the statement alone is kept.
  const body = rendered.text.slice(first.end).includes(';') ? end : cut;
  return { rendered: sliceMapped(rendered, 0, body), insert: insertionPoint(first, rendered.text) };
}

function isQuery(node: ParsedStatement['node']): boolean {
  if (!('SelectStmt' in node)) return false;
  const { intoClause, withClause } = node.SelectStmt;
  const writes = (withClause?.ctes ?? []).some((cte) => {
    const query = 'CommonTableExpr' in cte ? cte.CommonTableExpr.ctequery : undefined;
    return query !== undefined && !('SelectStmt' in query);
  });
  return intoClause === undefined && !writes;
}

function statementName(node: ParsedStatement['node']): string {
  const [kind] = Object.keys(node);
  if (kind === 'SelectStmt') return 'it writes (SELECT INTO, or a WITH that changes data)';
  const words = (kind ?? '').replace(/Stmt$/, '').replace(/([a-z])([A-Z])/g, '$1 $2');
  return words === '' ? 'unknown statement' : words.toUpperCase();
}

function insertionPoint(statement: ParsedStatement, text: string): SelectText['insert'] {
  const start = skipBlank(text, statement.start);
  const node = statement.node;
  const own = 'SelectStmt' in node && node.SelectStmt.withClause !== undefined;
  // A WITH inside of parentheses belongs to a part of the query; one more WITH before the whole is right there.
  if (!own || !/^with\b/i.test(text.slice(start))) return { offset: statement.start, hasWith: false };
  return afterWith(text, start);
}

function afterWith(text: string, start: number): SelectText['insert'] {
  const after = /^with(?:\s+recursive\b)?/i.exec(text.slice(start));
  return { offset: start + (after?.[0].length ?? 0), hasWith: true };
}

/** The first place from `offset` on that is neither blank nor comment nor semicolon. */
function skipBlank(text: string, offset: number): number {
  const skipped = /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text.slice(offset));
  return offset + (skipped?.[0].length ?? 0);
}

function syntaxHint(text: string, offset: number): { hint?: string } {
  const before = text.slice(0, offset).trimEnd();
  const rest = text.slice(offset);
  if (before.endsWith(',') && /^(?:from|where|group|order|\))/i.test(rest)) {
    return { hint: 'There is a comma too many before it.' };
  }
  if (offset >= text.trimEnd().length)
    return { hint: 'The SQL ends too early: a bracket or a part of the query is missing.' };
  return {};
}

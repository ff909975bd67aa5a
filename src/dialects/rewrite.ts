/**
 * Writes a query so that the engine answers what PostgreSQL answers, where rules say how. The text is changed at those places only,
 * so that everything else stays as the user wrote it, and messages still tell its places.
 */
import type { Rendered } from '../jinja/template-engine.ts';
import { joinMapped, sliceMapped } from '../jinja/mapped-text.ts';
import { parseStatements, SqlSyntaxError } from '../sql/parse.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { columnName } from './column-name.ts';
import { QueryText } from './query-text.ts';
import type { Range } from './query-text.ts';
import type { Rewrite, Rule } from './rule.ts';
import { foundAt, visitQuery } from './walk.ts';
import type { QueryOptions } from './walk.ts';

/** A query that has grown so much is left as it was, and named instead. */
const MOST_GROWTH = 20_000;

/** @returns the same object when nothing is to be written otherwise, or the query is not in PostgreSQL's grammar */
export function rewriteQuery(rendered: Rendered, rules: readonly Rule[], options: QueryOptions): Rendered {
  const writing = rules.filter(({ rewrite }) => rewrite !== undefined);
  if (writing.length === 0) return rendered;
  let text: QueryText;
  try {
    text = new QueryText(rendered.text);
  } catch (error) {
    if (error instanceof SqlSyntaxError) return rendered;
    throw error;
  }
  const rewrites: Rewrite[] = [];
  visitQuery(text, options, (place) => {
    for (const rule of writing)
      if (foundAt(rule, place).length > 0) rewrites.push(...(rule.rewrite!(place) ?? []));
  });
  if (rewrites.length === 0) return rendered;
  const written = apply(rendered, [...namesKept(text, rewrites, options), ...rewrites]);
  return written.text.length <= rendered.text.length + MOST_GROWTH && isQuery(written.text)
    ? written
    : rendered;
}

/** Columns without an alias are called after their expression: they keep their names. */
function namesKept(text: QueryText, rewrites: readonly Rewrite[], options: QueryOptions): Rewrite[] {
  const kept: Rewrite[] = [];
  visitQuery(text, options, ({ kind, node, clause }) => {
    if (kind !== 'ResTarget' || clause !== 'select' || node['name'] !== undefined) return;
    const name = columnName(node['val']);
    if (name === undefined) return;
    const range = text.rangeOf(node['val']);
    // A range that ends where the expression does changes how it is called; brackets around it and quotes do not.
    if (range === undefined || !rewrites.some(({ range: other, parts }) => renames(other, parts, range)))
      return;
    kept.push({ range, parts: [range, ` as ${quoteIdentifier(name)}`] });
  });
  return kept;
}

function renames({ from, to }: Range, parts: Rewrite['parts'], expression: Range): boolean {
  if (from < expression.from || to > expression.to || from === to) return false;
  return !(parts.length === 1 && typeof parts[0] === 'string' && parts[0].startsWith('"'));
}

/** Rewrites of inner expressions are done within those around them, which come first. */
function apply(rendered: Rendered, rewrites: readonly Rewrite[]): Rendered {
  const render = ({ from, to }: Range, inside: readonly Rewrite[]): Rendered => {
    const pieces: Rendered[] = [];
    let at = from;
    for (const rewrite of outermost(inside)) {
      if (rewrite.range.from < at || rewrite.range.to > to) continue;
      pieces.push(sliceMapped(rendered, at, rewrite.range.from));
      const within = inside.filter((other) => other !== rewrite && contains(rewrite.range, other.range));
      pieces.push(
        joinMapped(
          rewrite.parts.map((part) =>
            typeof part === 'string'
              ? part
              : render(
                  part,
                  within.filter(({ range }) => contains(part, range)),
                ),
          ),
        ),
      );
      at = rewrite.range.to;
    }
    pieces.push(sliceMapped(rendered, at, to));
    return joinMapped(pieces);
  };
  return render({ from: 0, to: rendered.text.length }, rewrites);
}

/** Those that stand in no other one, in the order of the text; of two with the same range the first. */
function outermost(rewrites: readonly Rewrite[]): Rewrite[] {
  return rewrites
    .filter((rewrite, i) =>
      rewrites.every(
        (other, j) =>
          i === j || !contains(other.range, rewrite.range) || (contains(rewrite.range, other.range) && i < j),
      ),
    )
    .sort((a, b) => a.range.from - b.range.from);
}

function contains(outer: Range, range: Range): boolean {
  return outer.from <= range.from && range.to <= outer.to;
}

function isQuery(text: string): boolean {
  try {
    return parseStatements(text).length === 1;
  } catch (error) {
    if (error instanceof SqlSyntaxError) return false;
    throw error;
  }
}

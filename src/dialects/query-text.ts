/**
 * A query's text beside its parse tree. The tree tells where a node begins at best, and nothing of brackets, so the range of an
 * expression is found by trial: the range is right when brackets around it make a call of exactly this node, and
 * change nothing else.
 */
import { scanSync } from 'libpg-query';
import { byteOffsets, parseStatements, SqlSyntaxError } from '../sql/parse.ts';
import { inner, isTree, meaningOf, texts } from './tree.ts';
import type { Tree } from './tree.ts';

/** UTF-16 offsets in the query; `to` is behind the last character. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Token extends Range {
  /** Lower case, but for what stands in quotes. */
  readonly text: string;
}

type Path = readonly (string | number)[];

const MARK = 'seg_marked';
/** How many tokens an expression may have before and behind those that the tree tells the places of. */
const BEFORE = 8;
const BEHIND = 24;

export class QueryText {
  readonly sql: string;
  readonly statements: readonly { readonly node: unknown; readonly start: number }[];
  readonly #place: (bytes: number) => number;
  readonly #paths = new Map<unknown, Path>();
  readonly #ranges = new Map<unknown, Range | undefined>();
  #tokens: readonly Token[] | undefined;

  /** @throws SqlSyntaxError */
  constructor(sql: string) {
    this.sql = sql;
    this.statements = parseStatements(sql);
    this.#place = byteOffsets(sql);
  }

  get tokens(): readonly Token[] {
    this.#tokens ??= scanSync(this.sql)
      .tokens.filter(({ tokenName }) => tokenName !== 'SQL_COMMENT' && tokenName !== 'C_COMMENT')
      .map(({ start, end }) => {
        const [from, to] = [this.#place(start), this.#place(end)];
        const text = this.sql.slice(from, to);
        return { from, to, text: /^['"$]/.test(text) ? text : text.toLowerCase() };
      });
    return this.#tokens;
  }

  /** A place of the tree as an offset of the text. */
  at(location: unknown): number | undefined {
    return typeof location === 'number' && location >= 0 ? this.#place(location) : undefined;
  }

  /** The first place that a tree tells; undefined for one that tells none. */
  offsetOf(value: unknown): number | undefined {
    const bytes = firstLocation(value);
    return bytes === undefined ? undefined : this.#place(bytes);
  }

  /** The index of the token at, or first behind, an offset. */
  tokenAt(offset: number): number {
    return this.tokens.findIndex(({ to }) => to > offset);
  }

  /** The bracket that closes the one at an index. */
  closing(open: number): number | undefined {
    let depth = 0;
    for (let at = open; at < this.tokens.length; at++) {
      depth += bracket(this.tokens[at]!.text);
      if (depth === 0) return at;
    }
    return undefined;
  }

  /**
   * The range of an expression, without brackets around it.
   * @param wrapped as it stands in the tree: `{ FuncCall: ... }`
   */
  rangeOf(wrapped: unknown): Range | undefined {
    if (!this.#ranges.has(wrapped)) this.#ranges.set(wrapped, this.#find(wrapped));
    return this.#ranges.get(wrapped);
  }

  /** The ranges of several expressions; undefined when one of them cannot be told. */
  rangesOf(wrapped: readonly unknown[]): Range[] | undefined {
    const ranges = wrapped.map((each) => this.rangeOf(each));
    return ranges.every((range) => range !== undefined) ? ranges : undefined;
  }

  #find(wrapped: unknown): Range | undefined {
    const path = this.#pathOf(wrapped);
    const places = locations(wrapped).map((bytes) => this.#place(bytes));
    if (path === undefined || places.length === 0) return undefined;
    const { tokens } = this;
    const first = this.tokenAt(Math.min(...places));
    const last = this.tokenAt(Math.max(...places));
    for (let behind = 0; behind <= BEHIND && last + behind < tokens.length; behind++) {
      for (let before = 0; before <= BEFORE && before <= first; before++) {
        const [start, end] = [first - before, last + behind];
        if (!isBalanced(tokens.slice(start, end + 1))) continue;
        const range = { from: tokens[start]!.from, to: tokens[end]!.to };
        if (this.#isExactly(range, path, wrapped)) return range;
      }
    }
    return undefined;
  }

  #isExactly({ from, to }: Range, path: Path, wrapped: unknown): boolean {
    const { sql } = this;
    try {
      const marked = parseStatements(`${sql.slice(0, from)}${MARK}(${sql.slice(from, to)})${sql.slice(to)}`);
      const call = inner(at(marked, path), 'FuncCall');
      if (call === undefined || texts(call['funcname']).join() !== MARK) return false;
      const args = call['args'] as unknown[] | undefined;
      if (args?.length !== 1 || meaningOf(args[0]) !== meaningOf(wrapped)) return false;
      return meaning(replaced(marked, path, wrapped)) === meaning(this.statements);
    } catch (error) {
      if (error instanceof SqlSyntaxError) return false;
      throw error;
    }
  }

  #pathOf(value: unknown): Path | undefined {
    if (this.#paths.size === 0) this.#note(this.statements, []);
    return this.#paths.get(value);
  }

  #note(value: unknown, path: Path): void {
    if (value === null || typeof value !== 'object') return;
    this.#paths.set(value, path);
    if (Array.isArray(value)) for (const [i, item] of value.entries()) this.#note(item, [...path, i]);
    else for (const [key, item] of Object.entries(value)) this.#note(item, [...path, key]);
  }
}

function bracket(text: string): number {
  if (text === '(' || text === '[' || text === 'case') return 1;
  return text === ')' || text === ']' || text === 'end' ? -1 : 0;
}

function isBalanced(tokens: readonly Token[]): boolean {
  let depth = 0;
  for (const { text } of tokens) {
    depth += bracket(text);
    if (depth < 0) return false;
  }
  return depth === 0;
}

function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) {
    if (found === null || typeof found !== 'object') return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, i) => (i === key ? replaced(item, rest, by) : (item as unknown)));
  return { ...(value as Tree), [key]: replaced((value as Tree)[key], rest, by) };
}

/** Statements without their places in the text. */
function meaning(statements: unknown): string {
  return meaningOf((statements as { node: unknown }[]).map(({ node }) => node));
}

function firstLocation(value: unknown): number | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = firstLocation(item);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isTree(value)) return undefined;
  const own = value['location'];
  if (typeof own === 'number' && own >= 0) return own;
  for (const item of Object.values(value)) {
    const found = firstLocation(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function locations(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(locations);
  if (!isTree(value)) return [];
  const own = value['location'];
  return [...(typeof own === 'number' && own >= 0 ? [own] : []), ...Object.values(value).flatMap(locations)];
}

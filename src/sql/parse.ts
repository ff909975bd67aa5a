/**
 * PostgreSQL's own parser (libpg-query, WASM) at arm's length: the slice of it that seg uses, with places in UTF-16
 * units. libpg-query counts an error's position in characters (code points, from 0) and the places inside a tree
 * (`location`, `stmt_location`, `stmt_len`) in UTF-8 bytes; both were checked with text before them that is not ASCII.
 */
import { hasSqlDetails, loadModule, parseSync } from 'libpg-query';
import type { ParseResult, RawStmt } from 'libpg-query';
import { stackMegabytes } from './thread-stack.ts';

/** The parser's refusal. `offset` is in UTF-16 units of the text that was parsed; null for an empty text. */
export class SqlSyntaxError extends Error {
  readonly offset: number;
  readonly length: number;

  constructor(message: string, offset: number, length: number, cause: unknown) {
    super(message, { cause });
    this.name = 'SqlSyntaxError';
    this.offset = offset;
    this.length = length;
  }
}

/** One statement of a text. `start` and `end` are UTF-16 offsets; the closing semicolon is not part of it. */
export interface ParsedStatement {
  readonly node: NonNullable<RawStmt['stmt']>;
  readonly start: number;
  readonly end: number;
}

let loading: Promise<void> | undefined;

/** Loads the WASM module once per process; every other function here needs it to have been awaited. */
export function loadSqlParser(): Promise<void> {
  loading ??= loadModule();
  return loading;
}

/**
 * Parses SQL text into its statements; none for a text of blanks and comments only.
 * Throws SqlSyntaxError. `loadSqlParser` must have been awaited.
 */
export function parseStatements(sql: string): ParsedStatement[] {
  if (sql.trim() === '') return [];
  let result: ParseResult;
  try {
    result = parseSync(sql);
  } catch (error) {
    if (!hasSqlDetails(error) || error.sqlDetails === undefined) throw error;
    const { message, cursorPosition } = error.sqlDetails;
    const offset = utf16OffsetOfCharacter(sql, Math.max(cursorPosition, 0));
    const token = /at or near "([\s\S]+)"$/.exec(message)?.[1];
    const length = token !== undefined && sql.startsWith(token, offset) ? token.length : 1;
    throw new SqlSyntaxError(message, offset, length, error);
  }
  const places = byteOffsets(sql);
  refuseDepth(result, places);
  return (result.stmts ?? []).flatMap(({ stmt, stmt_location, stmt_len }) => {
    if (stmt === undefined) return [];
    const from = stmt_location ?? 0;
    const start = places(from);
    return [{ node: stmt, start, end: stmt_len ? places(from + stmt_len) : sql.length }];
  });
}

/**
 * Levels of a parsed statement, an operator being two and a function call three: what everything that reads it, itself nested, can take. From a
 * point on it is not the stack that ends, but patience.
 */
const DEEPEST = Math.min(3000 * stackMegabytes, 30_000);

/** @throws SqlSyntaxError at the place where the statement becomes too deep; read without recursion, which is what would fail */
function refuseDepth(tree: object, places: (byteOffset: number) => number): void {
  const open: { value: object; depth: number; location: number }[] = [{ value: tree, depth: 1, location: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const own = 'location' in at.value && typeof at.value.location === 'number' ? at.value.location : -1;
    const location = own < 0 ? at.location : own;
    if (at.depth > DEEPEST) {
      const message = `nested more than ${DEEPEST} levels deep (give parts of it names in WITH queries or views)`;
      throw new SqlSyntaxError(message, places(location), 1, undefined);
    }
    for (const value of Object.values(at.value) as unknown[]) {
      if (typeof value === 'object' && value !== null) open.push({ value, depth: at.depth + 1, location });
    }
  }
}

/** A function from UTF-8 byte offsets in `text` to UTF-16 offsets (the same numbers when the text is ASCII). */
export function byteOffsets(text: string): (byteOffset: number) => number {
  if (/^[\0-\x7f]*$/.test(text)) return (byteOffset) => Math.min(byteOffset, text.length);
  const bytes = Buffer.from(text, 'utf8');
  return (byteOffset) => bytes.toString('utf8', 0, byteOffset).length;
}

function utf16OffsetOfCharacter(text: string, characters: number): number {
  let offset = 0;
  for (let seen = 0; seen < characters && offset < text.length; seen++) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

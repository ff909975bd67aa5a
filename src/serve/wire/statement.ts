/**
 * What the server must know of a client's SQL before it hands it on: found with PostgreSQL's own parser.
 */
import { byteOffsets, parseStatements, SqlSyntaxError } from '../../sql/parse.ts';
import type { ParsedStatement } from '../../sql/parse.ts';
import type { WireError } from './backend-messages.ts';
import { customNamesIn } from './custom-settings.ts';
import { refusalForAll, refusalForReader } from './reader-policy.ts';
import { callsIn, levelsOf } from './tree.ts';
import { stackMegabytes } from '../../sql/thread-stack.ts';

/** One statement of a text. */
export interface StatementPart {
  readonly start: number;
  readonly end: number;
  /** It names a prepared statement, to be given the client's own name, or would disturb other clients. */
  readonly naming?: NamingKind;
  readonly listening?: Listening;
  /** Settings go back to what they were when the client connected. */
  readonly resets: boolean;
  readonly begins: boolean;
  /** COMMIT, ROLLBACK and what is like them; not of a savepoint. */
  readonly ends: boolean;
  /** Makes a temporary relation; `lasting`: one that its transaction does not drop. */
  readonly temporary?: 'lasting' | 'dropped';
}

export interface StatementFacts {
  /** The parser's refusal; the engine would say the same. */
  readonly syntaxError?: WireError;
  /** The text is one `COPY ... FROM STDIN`. */
  readonly copyIn?: { readonly binary: boolean; readonly columns: number };
  /** `COPY ... FROM STDIN` among other statements. */
  readonly copyAmongOthers: boolean;
  readonly parts: readonly StatementPart[];
  /** Names in the text that may be settings of extensions and users (`my.tenant`): the catalog does not list those. */
  readonly customNames: readonly string[];
  /** Makes functions, whose texts may set something later. */
  readonly makesFunction: boolean;
  /** Why nobody may run it. */
  readonly refusal?: WireError;
  /** Why a reader may not run it. */
  readonly readerRefusal?: WireError;
  /** Why it may run at once, but not be prepared, by Parse or PREPARE. */
  readonly preparedRefusal?: WireError;
  /** Where `set_config` is called. */
  readonly setConfigAt: readonly number[];
}

export type NamingKind = 'prepare' | 'execute' | 'deallocate' | 'deallocate all' | 'unlisten' | 'discard all';

export interface Listening {
  readonly channel: string;
  /** `*` with `on: false`: all. */
  readonly on: boolean;
}

const KNOWN_LIMIT = 500;
const known = new Map<string, StatementFacts>();

/** `loadSqlParser` must have been awaited. */
export function statementFacts(sql: string): StatementFacts {
  const cached = known.get(sql);
  if (cached !== undefined) return cached;
  const facts = findFacts(sql);
  if (sql.length < 10_000) {
    if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value!);
    known.set(sql, facts);
  }
  return facts;
}

function findFacts(sql: string): StatementFacts {
  let statements: ParsedStatement[];
  try {
    statements = parseStatements(sql);
  } catch (error) {
    // What PostgreSQL's parser has refused has its error as the cause; what it has accepted can only be too deep (sql/parse.ts).
    if (!(error instanceof SqlSyntaxError) || error.cause === undefined) {
      return { ...NOTHING, refusal: TOO_DEEP };
    }
    const position = [...sql.slice(0, error.offset)].length + 1;
    return { ...NOTHING, syntaxError: { sqlstate: '42601', message: error.message, position } };
  }
  const facts: { -readonly [K in keyof StatementFacts]: StatementFacts[K] } = { ...NOTHING };
  const places = byteOffsets(sql);
  const setConfigAt: number[] = [];
  for (const { node } of statements) {
    const calls = [...callsIn(node)];
    facts.refusal ??= refusalForAll(node, calls);
    facts.readerRefusal ??= refusalForReader(node);
    for (const { name, location } of calls) {
      if (name === 'set_config' && location !== undefined) setConfigAt.push(places(location));
    }
    if (levelsOf(node) > DEEPEST_PREPARED) facts.preparedRefusal = TOO_DEEP_TO_PREPARE;
    if ('CreateFunctionStmt' in node) facts.makesFunction = true;
    if ('CopyStmt' in node && node.CopyStmt.is_from === true && node.CopyStmt.filename === undefined) {
      if (statements.length > 1) facts.copyAmongOthers = true;
      else facts.copyIn = { binary: /\bbinary\b/i.test(sql), columns: node.CopyStmt.attlist?.length ?? 0 };
    }
  }
  const parts = statements.map(partOf);
  return { ...facts, parts, customNames: customNamesIn(sql), setConfigAt: setConfigAt.sort((a, b) => a - b) };
}

function partOf({ node, start, end }: ParsedStatement): StatementPart {
  const part = { start, end, resets: false, begins: false, ends: false };
  if ('VariableSetStmt' in node) {
    return { ...part, resets: /RESET|DEFAULT/.test(node.VariableSetStmt.kind ?? '') };
  }
  if ('DiscardStmt' in node && node.DiscardStmt.target === 'DISCARD_ALL') {
    return { ...part, naming: 'discard all', resets: true, listening: { channel: '*', on: false } };
  }
  if ('ListenStmt' in node) {
    return { ...part, listening: { channel: node.ListenStmt.conditionname ?? '', on: true } };
  }
  if ('UnlistenStmt' in node) {
    const channel = node.UnlistenStmt.conditionname ?? '*';
    return { ...part, naming: 'unlisten', listening: { channel, on: false } };
  }
  if ('TransactionStmt' in node) {
    const { kind = '' } = node.TransactionStmt;
    return {
      ...part,
      begins: /BEGIN|START/.test(kind),
      ends: /^TRANS_STMT_(COMMIT|ROLLBACK|PREPARE)$/.test(kind),
    };
  }
  if ('PrepareStmt' in node) return { ...part, naming: 'prepare' };
  if ('ExecuteStmt' in node) return { ...part, naming: 'execute' };
  if ('ExplainStmt' in node && 'ExecuteStmt' in (node.ExplainStmt.query ?? {})) {
    return { ...part, naming: 'execute' };
  }
  if ('DeallocateStmt' in node) {
    return { ...part, naming: node.DeallocateStmt.name === undefined ? 'deallocate all' : 'deallocate' };
  }
  if ('CreateTableAsStmt' in node) {
    const { into, query } = node.CreateTableAsStmt;
    return {
      ...part,
      ...temporary(into?.rel?.relpersistence, into?.onCommit),
      ...('ExecuteStmt' in (query ?? {}) ? { naming: 'execute' as const } : {}),
    };
  }
  if ('CreateStmt' in node) {
    return { ...part, ...temporary(node.CreateStmt.relation?.relpersistence, node.CreateStmt.oncommit) };
  }
  if ('SelectStmt' in node) return { ...part, ...temporary(node.SelectStmt.intoClause?.rel?.relpersistence) };
  if ('ViewStmt' in node) return { ...part, ...temporary(node.ViewStmt.view?.relpersistence) };
  if ('CreateSeqStmt' in node) return { ...part, ...temporary(node.CreateSeqStmt.sequence?.relpersistence) };
  return part;
}

function temporary(persistence: string | undefined, onCommit?: string): Pick<StatementPart, 'temporary'> {
  if (persistence !== 't') return {};
  return { temporary: onCommit === 'ONCOMMIT_DROP' ? 'dropped' : 'lasting' };
}

const SHALLOWER =
  'Long chains of operators count as nesting: write them as a list, an array or a join, or use a PostgreSQL target.';

const TOO_DEEP: WireError = {
  sqlstate: '54001',
  message: 'the statement is nested too deeply',
  hint: SHALLOWER,
};

/**
 * The engine copies the tree of what it prepares by recursion, without a look at its own limit: a megabyte of V8's stack, which ends the
 * engine with it, has room for some 550 levels (docs/serving.md).
 */
const DEEPEST_PREPARED = Math.min(500 * stackMegabytes, 12_000);

const TOO_DEEP_TO_PREPARE: WireError = {
  sqlstate: '54001',
  message: `the statement is nested too deeply to be prepared: more than ${DEEPEST_PREPARED} levels, of which an operator is two`,
  hint: SHALLOWER,
};

const NOTHING: StatementFacts = {
  copyAmongOthers: false,
  parts: [],
  customNames: [],
  makesFunction: false,
  setConfigAt: [],
};

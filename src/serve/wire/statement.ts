/**
 * What the server must know of a client's SQL before it hands it on: found with PostgreSQL's own parser.
 */
import { parseStatements, SqlSyntaxError } from '../../sql/parse.ts';
import type { ParsedStatement } from '../../sql/parse.ts';
import type { WireError } from './backend-messages.ts';
import { refusalForReader } from './reader-policy.ts';

export interface StatementFacts {
  /** The parser's refusal; the engine would say the same. */
  readonly syntaxError?: WireError;
  /** The text is one `COPY ... FROM STDIN`. */
  readonly copyIn?: { readonly binary: boolean; readonly columns: number };
  /** `COPY ... FROM STDIN` among other statements. */
  readonly copyAmongOthers: boolean;
  /** May leave other settings behind. */
  readonly setsSomething: boolean;
  /** Settings of extensions and users (`my.tenant`): the catalog does not list those. */
  readonly customSettings: readonly string[];
  readonly listens: readonly Listening[];
  readonly discardsAll: boolean;
  readonly makesTemporary: boolean;
  /** Why a reader may not run it. */
  readonly refusal?: WireError;
  /** Statements that name a prepared statement, to be given the client's own name. */
  readonly naming: readonly { readonly start: number; readonly end: number; readonly kind: NamingKind }[];
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
    if (!(error instanceof SqlSyntaxError)) throw error;
    const position = [...sql.slice(0, error.offset)].length + 1;
    return { ...NOTHING, syntaxError: { sqlstate: '42601', message: error.message, position } };
  }
  const facts: { -readonly [K in keyof StatementFacts]: StatementFacts[K] } = { ...NOTHING };
  const customSettings: string[] = [];
  const listens: Listening[] = [];
  const naming: StatementFacts['naming'][number][] = [];
  for (const { node, start, end } of statements) {
    facts.refusal ??= refusalForReader(node);
    const name = (kind: NamingKind) => naming.push({ start, end, kind });
    if ('CopyStmt' in node && node.CopyStmt.is_from === true && node.CopyStmt.filename === undefined) {
      if (statements.length > 1) facts.copyAmongOthers = true;
      else facts.copyIn = { binary: /\bbinary\b/i.test(sql), columns: node.CopyStmt.attlist?.length ?? 0 };
    } else if ('VariableSetStmt' in node) {
      facts.setsSomething = true;
      if (node.VariableSetStmt.name?.includes('.') === true) customSettings.push(node.VariableSetStmt.name);
    } else if ('DiscardStmt' in node) {
      facts.setsSomething = true;
      if (node.DiscardStmt.target === 'DISCARD_ALL') {
        facts.discardsAll = true;
        name('discard all');
      }
    } else if ('DoStmt' in node || 'CallStmt' in node) facts.setsSomething = true;
    else if ('ListenStmt' in node) listens.push({ channel: node.ListenStmt.conditionname ?? '', on: true });
    else if ('UnlistenStmt' in node) {
      listens.push({ channel: node.UnlistenStmt.conditionname ?? '*', on: false });
      name('unlisten');
    } else if ('PrepareStmt' in node) name('prepare');
    else if ('ExecuteStmt' in node) name('execute');
    else if ('DeallocateStmt' in node)
      name(node.DeallocateStmt.name === undefined ? 'deallocate all' : 'deallocate');
    else if ('CreateStmt' in node && node.CreateStmt.relation?.relpersistence === 't')
      facts.makesTemporary = true;
    else if ('CreateTableAsStmt' in node && node.CreateTableAsStmt.into?.rel?.relpersistence === 't')
      facts.makesTemporary = true;
    else if ('ViewStmt' in node && node.ViewStmt.view?.relpersistence === 't') facts.makesTemporary = true;
  }
  for (const [, setting] of sql.matchAll(/set_config\s*\(\s*'([^']+)'/gi)) {
    facts.setsSomething = true;
    if (setting!.includes('.')) customSettings.push(setting!);
  }
  if (/set_config/i.test(sql)) facts.setsSomething = true;
  return { ...facts, customSettings, listens, naming };
}

const NOTHING: StatementFacts = {
  copyAmongOthers: false,
  setsSomething: false,
  customSettings: [],
  listens: [],
  discardsAll: false,
  makesTemporary: false,
  naming: [],
};

/**
 * What may not run. The role of readers has its rights in the database (SELECT on everything, nothing else), which do most of
 * it; but the one session of the embedded database belongs to its owner, so a statement that takes the owner's role back
 * must not get there: what is not listed here is refused. And nobody may leave in the session what all would have.
 */
import type { ParsedStatement } from '../../sql/parse.ts';
import type { WireError } from './backend-messages.ts';
import { objectsOf } from './tree.ts';
import type { Call } from './tree.ts';

const ALLOWED = new Set([
  'SelectStmt',
  'VariableShowStmt',
  'VariableSetStmt',
  'TransactionStmt',
  'ExplainStmt',
  'CopyStmt',
  'DeclareCursorStmt',
  'FetchStmt',
  'ClosePortalStmt',
  'PrepareStmt',
  'ExecuteStmt',
  'DeallocateStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
  'DiscardStmt',
  'LockStmt',
  'ConstraintsSetStmt',
]);

type Node = ParsedStatement['node'];

/** Settings that say who somebody is. */
const IDENTITY = new Set(['role', 'session_authorization']);
/** Settings that say whether somebody may write. */
const READ_ONLY = new Set(['transaction_read_only', 'default_transaction_read_only']);
/** With it, the first error of one client would end the session of all. */
const SHARED = 'exit_on_error';
const CURSOR_HOLD = 0x20;

/** Names of settings, which a reader may not have its way with, in SQL's own words. */
export const SETTINGS_KEPT_FROM_READERS: readonly string[] = [...IDENTITY, ...READ_ONLY, SHARED];

/** Why nobody may run a statement: it would leave something in the one session. */
export function refusalForAll(node: Node, calls: readonly Call[]): WireError | undefined {
  if ('VariableSetStmt' in node && node.VariableSetStmt.name?.toLowerCase() === SHARED) {
    return refusalOfShared();
  }
  if ('DeclareCursorStmt' in node && ((node.DeclareCursorStmt.options ?? 0) & CURSOR_HOLD) !== 0) {
    return {
      sqlstate: '0A000',
      message: 'cursors WITH HOLD are not supported by the embedded database: all clients share its session',
      hint: 'Declare the cursor WITHOUT HOLD in a transaction, or read the result without a cursor.',
    };
  }
  const lock = calls.find(({ name }) => /^pg_(try_)?advisory_lock(_shared)?$/.test(name));
  if (lock !== undefined) {
    return {
      sqlstate: '0A000',
      message: `${lock.name}() is not supported by the embedded database: all clients share its session`,
      hint: 'Use pg_advisory_xact_lock() in a transaction.',
    };
  }
  return undefined;
}

/** Why a reader may not run a statement; undefined when it may. */
export function refusalForReader(node: Node): WireError | undefined {
  const kind = Object.keys(node)[0]!;
  if (!ALLOWED.has(kind)) return refused('the role "seg_reader" can only read');
  if ('VariableSetStmt' in node) {
    const { name = '', args = [], kind: how } = node.VariableSetStmt;
    if (name === 'TRANSACTION' || name === 'SESSION CHARACTERISTICS') return refusalOfModes(args);
    const value = how === 'VAR_SET_VALUE' && args.length === 1 ? constantOf(args[0]!) : undefined;
    return refusalOfSetting(name, value);
  }
  if ('TransactionStmt' in node) return refusalOfModes(node.TransactionStmt.options ?? []);
  if ('CopyStmt' in node && (node.CopyStmt.is_from === true || node.CopyStmt.filename !== undefined)) {
    return refused('the role "seg_reader" can only COPY ... TO STDOUT');
  }
  if ('SelectStmt' in node) {
    for (const object of objectsOf(node)) {
      if ('intoClause' in object) return refused('the role "seg_reader" can only read');
    }
  }
  if ('ExplainStmt' in node || 'PrepareStmt' in node || 'DeclareCursorStmt' in node) {
    const inner =
      'ExplainStmt' in node
        ? node.ExplainStmt
        : 'PrepareStmt' in node
          ? node.PrepareStmt
          : node.DeclareCursorStmt;
    return inner.query === undefined ? undefined : refusalForReader(inner.query);
  }
  return undefined;
}

/** Why a reader may not give a setting a value, by SET or at its login. `undefined`: another value than a constant. */
export function refusalOfSetting(name: string, value: string | undefined): WireError | undefined {
  const plain = name.toLowerCase();
  if (plain === SHARED) return refusalOfShared();
  if (IDENTITY.has(plain)) return refused(`the role "seg_reader" cannot set "${plain}"`);
  if (READ_ONLY.has(plain) && !isTrue(value)) {
    return refused(`the role "seg_reader" cannot set "${plain}": it can only read`);
  }
  return undefined;
}

/** As PostgreSQL reads booleans: any beginning of a word that only one word has. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(on|t|tr|tru|true|y|ye|yes|1)$/i.test(value.trim());
}

/** Modes of transactions: of those, only READ WRITE is refused. */
function refusalOfModes(modes: readonly Node[]): WireError | undefined {
  for (const mode of modes) {
    if (!('DefElem' in mode) || mode.DefElem.defname !== 'transaction_read_only') continue;
    if (mode.DefElem.arg === undefined || !isTrue(constantOf(mode.DefElem.arg))) {
      return refused('transactions of the role "seg_reader" are read-only');
    }
  }
  return undefined;
}

function constantOf(node: Node): string | undefined {
  if (!('A_Const' in node)) return undefined;
  const { ival, sval, boolval } = node.A_Const;
  if (sval !== undefined) return sval.sval ?? '';
  if (boolval !== undefined) return boolval.boolval === true ? 'true' : 'false';
  return ival === undefined ? undefined : String(ival.ival ?? 0);
}

function refusalOfShared(): WireError {
  return { sqlstate: '42501', message: `cannot set "${SHARED}" in the session that all clients share` };
}

function refused(message: string): WireError {
  return {
    sqlstate: '42501',
    message,
    hint: 'Connect as user "seg" to write. Sources take records over HTTP too.',
  };
}

/**
 * What the role of readers may run. Its rights in the database (SELECT on everything, nothing else) do most of it; but the one
 * session of the embedded database belongs to its owner, so a statement that takes the owner's role back must not get
 * there. What is not listed here is refused.
 */
import type { ParsedStatement } from '../../sql/parse.ts';
import type { WireError } from './backend-messages.ts';

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
]);

/** Settings that say who somebody is, or whether they may write. */
const FIXED = new Set([
  'role',
  'session_authorization',
  'transaction_read_only',
  'default_transaction_read_only',
  'TRANSACTION',
  'SESSION CHARACTERISTICS',
]);

/** Why a reader may not run a statement; undefined when it may. */
export function refusalForReader(node: ParsedStatement['node']): WireError | undefined {
  const kind = Object.keys(node)[0]!;
  if (!ALLOWED.has(kind)) return refused('the role "seg_reader" can only read');
  if ('VariableSetStmt' in node && FIXED.has(node.VariableSetStmt.name ?? '')) {
    return refused(`the role "seg_reader" cannot set "${node.VariableSetStmt.name}"`);
  }
  if (
    'TransactionStmt' in node &&
    JSON.stringify(node.TransactionStmt.options ?? []).includes('transaction_read_only')
  ) {
    return refused('transactions of the role "seg_reader" are read-only by themselves');
  }
  if ('CopyStmt' in node && (node.CopyStmt.is_from === true || node.CopyStmt.filename !== undefined)) {
    return refused('the role "seg_reader" can only COPY ... TO STDOUT');
  }
  if ('SelectStmt' in node && JSON.stringify(node).includes('"intoClause"')) {
    return refused('the role "seg_reader" can only read');
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

function refused(message: string): WireError {
  return {
    sqlstate: '42501',
    message,
    hint: 'Connect as user "seg" to write. Sources take records over HTTP too.',
  };
}

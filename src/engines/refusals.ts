/** What a server says of a session rather than of a statement → a message with its remedy. */
import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import type { DatabaseError } from './connection.ts';

/**
 * @returns SegError SEG819 for a missing privilege, SEG820 for a session that was ended, SEG821 for a transaction that
 *   another one stood in the way of; undefined for everything else
 */
export function refusal(error: DatabaseError): SegError | undefined {
  const { sqlstate, message } = error;
  const told = error.detail === undefined ? [] : [{ message: error.detail }];
  const more = { notes: told, exitCode: 1, cause: error } as const;
  if (sqlstate === '42501')
    return segError('SEG819', message, { ...more, hint: error.hint ?? grantFor(message) });
  if (/^(08|57P0)/.test(sqlstate)) {
    return segError('SEG820', message, {
      ...more,
      hint: 'What was not committed is undone, and nothing else is lost. Run the command again.',
    });
  }
  if (/^(40|55P03)/.test(sqlstate)) {
    return segError('SEG821', `another transaction was in the way: ${message}`, {
      ...more,
      hint: 'Nothing was changed. Run the command again.',
    });
  }
  return undefined;
}

function grantFor(message: string): string {
  const denied = /^permission denied for (\w+) (.+)$/.exec(message);
  const [, kind = '', name = ''] = denied ?? [];
  const rights: Readonly<Record<string, string>> = {
    database: `GRANT CREATE ON DATABASE ${name}`,
    schema: `GRANT USAGE, CREATE ON SCHEMA ${name}`,
    table: `GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON TABLE ${name}`,
    view: `GRANT SELECT ON TABLE ${name}`,
    sequence: `GRANT USAGE ON SEQUENCE ${name}`,
  };
  const grant = rights[kind];
  return grant === undefined
    ? 'Let the owner of the object, or a superuser, give this user the right, or choose another user or schema.'
    : `Let its owner run: ${grant} TO <user>. seg makes its schemas itself, and needs nothing of a superuser.`;
}

/** What a server says of a session rather than of a statement → a message with its remedy. */
import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import type { DatabaseError } from './connection.ts';

/**
 * @returns SegError SEG819 for a missing privilege, SEG820 for a session that was ended, SEG821 for a transaction that
 *   another one stood in the way of, SEG841 where the server has come to a limit; undefined for everything else
 */
export function refusal(error: DatabaseError): SegError | undefined {
  const { sqlstate, message } = error;
  const told = error.detail === undefined ? [] : [{ message: error.detail }];
  const more = { notes: told, exitCode: 1, cause: error } as const;
  // RisingWave tells it by words alone, behind headings.
  const denied = sqlstate === '42501' ? message : /permission denied for [^\n]+/.exec(message)?.[0];
  if (denied !== undefined)
    return segError('SEG819', denied, { ...more, hint: error.hint ?? grantFor(denied) });
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
  const limit = limitRemedy(error);
  if (limit !== undefined) return segError('SEG841', message, { ...more, hint: limit, exitCode: 1 });
  return undefined;
}

/** What to do where the server has come to a limit of its own; undefined for other errors. */
export function limitRemedy({ sqlstate, message }: DatabaseError): string | undefined {
  switch (sqlstate) {
    case '57014':
      return /statement timeout/.test(message)
        ? 'What was not committed is undone. A deployment may need longer than other statements: raise "statement_timeout" of the target in profiles.yml (0: no limit).'
        : undefined;
    case '53100':
      return 'What was not committed is undone. Make room on the disk of the server (or in the tablespace), and run the command again.';
    case '58030':
      return 'What was not committed is undone. See to the disk of the server: it may be mounted read-only, or belong to another user.';
    case '53200':
      return 'What was not committed is undone. Give the server more memory or max_locks_per_transaction, deploy less at once with --select, or ingest with a smaller --batch-size.';
    case '25006':
      return 'The role or the database is set to default_transaction_read_only, or the server has become a standby: point "host" at the primary.';
    case '25P03':
      return 'What was not committed is undone. The server ends transactions that wait (idle_in_transaction_session_timeout): raise it for this role.';
    case '53300':
      return 'The server takes no more connections: fewer "threads" in profiles.yml, or a higher max_connections.';
  }
  return undefined;
}

function grantFor(message: string): string {
  // RisingWave names the right too: permission denied for database "dev": "CREATE".
  const denied = /^permission denied for (\w+) ("[^"]*"|\S+)/.exec(message);
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

/** Why a server could not be used → one message with the remedy. */
import { SegError, segError } from '../../diagnostics/seg-error.ts';

const network: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host is unknown',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ECONNRESET: 'the connection was reset',
  ENOENT: 'there is no such socket',
  EACCES: 'the socket may not be used',
};

/** Whether another attempt may succeed: the server starts, restarts or is out of connections. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === 'ECONNREFUSED' ||
    code === 'ECONNRESET' ||
    code === 'EAI_AGAIN' ||
    code === '57P03' ||
    code === '53300'
  );
}

/** @param place host, port, database and user, for the message */
export function connectError(error: unknown, target: string, place: string): SegError {
  if (error instanceof SegError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const at = `target "${target}" (${place})`;
  if (code.startsWith('28')) {
    return segError('SEG812', `the server refused the login of ${at}: ${message}`, {
      hint: 'Mend "user" and "password" in profiles.yml (env_var() keeps the password out of the file), or the server\'s pg_hba.conf.',
      exitCode: 1,
      cause: error,
    });
  }
  if (/^SASL|password must be a string/.test(message)) {
    return segError('SEG812', `the server asks for a password that ${at} does not give, or another one`, {
      hint: 'Write "password" in profiles.yml: "{{ env_var(\'PGPASSWORD\') }}" keeps it out of the file.',
      exitCode: 1,
      cause: error,
    });
  }
  if (code === '3D000') {
    return segError('SEG813', `${message}, named by ${at}`, {
      hint: 'Create it (createdb), or mend "dbname" in profiles.yml.',
      exitCode: 1,
      cause: error,
    });
  }
  if (isTlsError(error, message)) {
    return segError('SEG814', `no TLS connection to ${at}: ${message}`, {
      hint: '"sslmode: require" encrypts without checking the certificate, "verify-full" checks it against "sslrootcert", "disable" uses no TLS.',
      exitCode: 1,
      cause: error,
    });
  }
  if (code === '53300' || code === '57P03') {
    return segError('SEG816', `the server takes no more connections or is not ready, at ${at}: ${message}`, {
      hint: 'Try again in a moment; "retries" in profiles.yml makes seg do so.',
      exitCode: 1,
      cause: error,
    });
  }
  const reason = network[code] ?? (message === '' ? 'no connection' : message);
  return segError('SEG811', `cannot reach ${at}: ${reason}`, {
    hint: 'Check "host" and "port" in profiles.yml, that the server runs, and that a firewall lets you through.',
    exitCode: 1,
    cause: error,
  });
}

function codeOf(error: unknown): string {
  // Several addresses of one host fail together.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const code = (first as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

export function isTlsError(error: unknown, message: string): boolean {
  const code = codeOf(error);
  return (
    code.startsWith('ERR_SSL') ||
    code.startsWith('ERR_TLS') ||
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code) ||
    /does not support SSL|SSL connection|certificate/i.test(message)
  );
}

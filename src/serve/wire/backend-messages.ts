/** Messages of the server to its clients. */
import { int16, int32, message } from './frontend-frames.ts';

export interface WireError {
  readonly sqlstate: string;
  readonly message: string;
  readonly hint?: string;
  /** From 1, in characters of the statement. */
  readonly position?: number;
}

export function errorMessage(error: WireError, severity: 'ERROR' | 'FATAL' = 'ERROR'): Buffer {
  return report('E', error, severity);
}

export function warningMessage(warning: WireError): Buffer {
  return report('N', warning, 'WARNING');
}

function report(type: 'E' | 'N', error: WireError, severity: string): Buffer {
  const fields: [string, string | undefined][] = [
    ['S', severity],
    ['V', severity],
    ['C', error.sqlstate],
    ['M', error.message],
    ['H', error.hint],
    ['P', error.position?.toString()],
  ];
  const parts = fields.flatMap(([field, text]) =>
    text === undefined ? [] : [Buffer.from(field, 'latin1'), Buffer.from(`${text}\0`)],
  );
  return message(type, ...parts, Buffer.of(0));
}

export const authenticationOk = message('R', int32(0));
/** AuthenticationSASL, the one mechanism. */
export const authenticationSasl = message('R', int32(10), 'SCRAM-SHA-256', Buffer.of(0));

export function saslContinue(text: string): Buffer {
  return message('R', int32(11), Buffer.from(text));
}

export function saslFinal(text: string): Buffer {
  return message('R', int32(12), Buffer.from(text));
}

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', name, value);
}

export function backendKeyData(pid: number, secret: number): Buffer {
  return message('K', int32(pid), int32(secret));
}

/** `I` idle, `T` in a transaction, `E` in one that has failed. */
export function readyForQuery(status: string): Buffer {
  return message('Z', Buffer.from(status, 'latin1'));
}

export function copyInResponse(binary: boolean, columns: number): Buffer {
  const format = binary ? 1 : 0;
  return message(
    'G',
    Buffer.of(format),
    int16(columns),
    ...Array.from({ length: columns }, () => int16(format)),
  );
}

export function commandComplete(tag: string): Buffer {
  return message('C', tag);
}

export function negotiateVersion(unknownOptions: readonly string[]): Buffer {
  return message('v', int32(0), int32(unknownOptions.length), ...unknownOptions);
}

/** A message of the engine. */
export interface BackendMessage {
  readonly type: string;
  readonly bytes: Buffer;
  readonly body: Buffer;
}

/** The start of a connection: TLS is offered where there is a certificate, a password is asked for where one is set, and the role is found. */
import {
  authenticationOk,
  authenticationSasl,
  backendKeyData,
  negotiateVersion,
  parameterStatus,
  saslContinue,
  saslFinal,
} from './backend-messages.ts';
import type { WireError } from './backend-messages.ts';
import { ProtocolViolation, readText } from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import { refusalOfSetting } from './reader-policy.ts';
import { ScramServer } from './scram.ts';

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const OWNERS = new Set(['seg', 'postgres']);
/** The user that other seg commands are; its password is the token of the lock file. */
export const COMMAND_USER = 'seg_command';

export interface Access {
  readonly token: string;
  /** undefined: none is asked for. */
  readonly ownerPassword: string | undefined;
  readonly readerPassword: string | undefined;
}

interface Granted {
  readonly reader: boolean;
  readonly command: boolean;
  readonly settings: ReadonlyMap<string, string>;
}

export type LoginStep =
  /** The connection goes on encrypted. */
  | { readonly secures: true }
  | { readonly cancel: { readonly pid: number; readonly secret: number } }
  /** `started`: whether messages have a type byte from now on. */
  | { readonly started: boolean; readonly refused: WireError }
  | { readonly started: boolean; readonly reply?: Buffer; readonly granted?: undefined }
  | { readonly started: true; readonly reply: Buffer; readonly granted: Granted };

export class Login {
  readonly #access: Access;
  readonly #pid: number;
  readonly #secret: number;
  #granted: Granted | undefined;
  #scram: ScramServer | undefined;
  #begun = false;
  #offersTls: boolean;

  constructor(access: Access, pid: number, secret: number, offersTls: boolean) {
    this.#offersTls = offersTls;
    this.#access = access;
    this.#pid = pid;
    this.#secret = secret;
  }

  /** @throws ProtocolViolation */
  take({ type, body }: Frame): LoginStep {
    if (type === '') return this.#startup(body);
    if (type !== 'p' || this.#scram === undefined)
      throw new ProtocolViolation('a password message was expected');
    return this.#begun ? this.#proof(this.#scram, body) : this.#mechanism(this.#scram, body);
  }

  /** The connection is encrypted: there is nothing more to offer. */
  secured(): void {
    this.#offersTls = false;
  }

  /** What a client is told once it is in. */
  welcome(parameters: ReadonlyMap<string, string>): Buffer[] {
    return [
      ...[...parameters].map(([name, value]) => parameterStatus(name, value)),
      backendKeyData(this.#pid, this.#secret),
    ];
  }

  #startup(body: Buffer): LoginStep {
    if (body.length < 4) throw new ProtocolViolation('the startup message is too short');
    const version = body.readUInt32BE(0);
    if (version === SSL_REQUEST && this.#offersTls) return { secures: true };
    if (version === SSL_REQUEST || version === GSS_REQUEST) {
      return { started: false, reply: Buffer.from('N') };
    }
    if (version === CANCEL_REQUEST && body.length >= 12) {
      return { cancel: { pid: body.readInt32BE(4), secret: body.readInt32BE(8) } };
    }
    if (version >>> 16 !== 3) {
      return {
        started: true,
        refused: { sqlstate: '0A000', message: `unsupported protocol ${version >>> 16}.${version & 0xffff}` },
      };
    }
    const parameters = readParameters(body);
    const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'));
    const negotiation = (version & 0xffff) > 0 || unknown.length > 0 ? [negotiateVersion(unknown)] : [];
    const user = parameters.get('user') ?? '';
    const command = user === COMMAND_USER;
    const reader = !command && !OWNERS.has(user);
    const settings = settingsOf(parameters);
    this.#granted = { reader, command, settings };
    const refused = reader ? refusedSetting(settings) : undefined;
    if (refused !== undefined) return { started: true, refused };
    const { token, ownerPassword, readerPassword } = this.#access;
    const password = command ? token : reader ? readerPassword : ownerPassword;
    if (password === undefined) {
      return {
        started: true,
        reply: Buffer.concat([...negotiation, authenticationOk]),
        granted: this.#granted,
      };
    }
    this.#scram = new ScramServer(password);
    return { started: true, reply: Buffer.concat([...negotiation, authenticationSasl]) };
  }

  #mechanism(scram: ScramServer, body: Buffer): LoginStep {
    const [mechanism, next] = readText(body, 0);
    const first = mechanism === 'SCRAM-SHA-256' ? scram.first(body.toString('utf8', next + 4)) : undefined;
    if (first === undefined) throw new ProtocolViolation('only SCRAM-SHA-256 is understood');
    this.#begun = true;
    return { started: true, reply: saslContinue(first) };
  }

  #proof(scram: ScramServer, body: Buffer): LoginStep {
    const final = scram.final(body.toString('utf8'));
    if (final === undefined) {
      return { started: true, refused: { sqlstate: '28P01', message: 'password authentication failed' } };
    }
    return {
      started: true,
      reply: Buffer.concat([saslFinal(final), authenticationOk]),
      granted: this.#granted!,
    };
  }
}

function readParameters(body: Buffer): Map<string, string> {
  const parameters = new Map<string, string>();
  for (let at = 4; at < body.length && body[at] !== 0;) {
    const [name, afterName] = readText(body, at);
    const [value, next] = readText(body, afterName);
    parameters.set(name, value);
    at = next;
  }
  return parameters;
}

/** Everything but who and where is a setting; `options` holds more of them, as `-c name=value` and `--name=value`. Names in small letters. */
function settingsOf(parameters: ReadonlyMap<string, string>): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [, short, long, value] of (parameters.get('options') ?? '').matchAll(
    /(?:-c\s*([\w.]+)|--([\w.-]+))=((?:\\.|\S)*)/g,
  )) {
    settings.set((short ?? long!).replaceAll('-', '_').toLowerCase(), value!.replace(/\\(.)/g, '$1'));
  }
  for (const [name, value] of parameters) {
    if (['user', 'database', 'options', 'replication'].includes(name) || name.startsWith('_pq_.')) continue;
    settings.set(name.toLowerCase(), value);
  }
  return settings;
}

/** Why a reader may not begin with these settings. */
function refusedSetting(settings: ReadonlyMap<string, string>): WireError | undefined {
  for (const [name, value] of settings) {
    const refusal = refusalOfSetting(name, value);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/**
 * Who may do what over HTTP: bearer tokens with scopes, from the environment variable SEG_HTTP_TOKENS, separated by
 * white space or commas:
 *
 *     <token>[=<scope>[+<scope>...]]      scopes: ingest, read, admin; without any: all of them
 *
 *     SEG_HTTP_TOKENS="p4ssw0rd=ingest 1a2b3c=read+ingest 0perator"
 *
 * `ingest` and `read` may be narrowed to one source or model: `ingest:segment.segment_events`, `read:user_profiles`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { segError } from '../diagnostics/seg-error.ts';

export type Action = 'ingest' | 'read' | 'admin';

interface Grant {
  readonly digest: Buffer;
  readonly scopes: readonly { readonly action: Action; readonly object: string | undefined }[];
}

/** Too short a token can be guessed. */
const SHORTEST = 8;

export class Tokens {
  readonly #grants: readonly Grant[];

  /** @throws SegError SEG823 for text that is no list of tokens */
  constructor(text: string | undefined) {
    this.#grants = (text ?? '')
      .split(/[\s,]+/)
      .filter((entry) => entry !== '')
      .map(grantOf);
  }

  /** Without tokens everybody on the machine may do everything. */
  get required(): boolean {
    return this.#grants.length > 0;
  }

  /**
   * `unknown`: no token, or none of ours; `refused`: it does not allow this.
   * @param names those of the source or model that is asked for, short and long; empty for what is not about one
   */
  check(
    header: string | undefined,
    action: Action,
    names: readonly string[] = [],
  ): 'allowed' | 'unknown' | 'refused' {
    if (!this.required) return 'allowed';
    const token = /^Bearer +(\S+)\s*$/i.exec(header ?? '')?.[1];
    if (token === undefined) return 'unknown';
    const digest = digestOf(token);
    const grant = this.#grants.find((known) => timingSafeEqual(known.digest, digest));
    if (grant === undefined) return 'unknown';
    const allowed = grant.scopes.some(
      (scope) =>
        scope.action === action &&
        (scope.object === undefined ||
          names.some((name) => name === scope.object || name.endsWith(`.${scope.object}`))),
    );
    return allowed ? 'allowed' : 'refused';
  }
}

function grantOf(entry: string): Grant {
  const [, token = '', scopes] = /^([^=]+)(?:=(.*))?$/.exec(entry) ?? [];
  const names = scopes === undefined ? ['ingest', 'read', 'admin'] : scopes.split('+');
  const parsed = names.map((name) => /^(ingest|read|admin)(?::(.+))?$/.exec(name));
  if (token.length < SHORTEST || parsed.includes(null)) {
    throw segError(
      'SEG823',
      parsed.includes(null)
        ? `SEG_HTTP_TOKENS has a token with an unknown scope (${names.join('+')})`
        : `SEG_HTTP_TOKENS has a token of fewer than ${SHORTEST} characters`,
      {
        hint: 'Write <token>=<scope>+<scope>, with the scopes ingest, read and admin, also ingest:<source> and read:<model>.',
      },
    );
  }
  return {
    digest: digestOf(token),
    scopes: parsed.map((scope) => ({ action: scope![1] as Action, object: scope![2] })),
  };
}

/** Digests have one length, so comparing them tells nothing about the token. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** SCRAM-SHA-256 as PostgreSQL speaks it (RFC 5802, RFC 7677; no channel binding, since there is no TLS). */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const ITERATIONS = 4096;

export class ScramServer {
  readonly #password: string;
  readonly #salt = randomBytes(16);
  #clientFirst = '';
  #serverFirst = '';

  constructor(password: string) {
    this.#password = password.normalize('NFKC');
  }

  /** The client's first message → ours; undefined when it cannot be understood. */
  first(text: string): string | undefined {
    const found = /^[ny],[^,]*,(n=[^,]*,r=([^,]+).*)$/s.exec(text);
    if (found === null) return undefined;
    this.#clientFirst = found[1]!;
    const nonce = found[2]! + randomBytes(18).toString('base64');
    this.#serverFirst = `r=${nonce},s=${this.#salt.toString('base64')},i=${ITERATIONS}`;
    return this.#serverFirst;
  }

  /** The client's proof → ours; undefined when the password is another one. */
  final(text: string): string | undefined {
    const found = /^(c=[^,]+,r=([^,]+).*),p=([^,]+)$/s.exec(text);
    const nonce = /^r=([^,]+)/.exec(this.#serverFirst)?.[1];
    if (found === null || nonce === undefined || found[2] !== nonce) return undefined;
    const salted = pbkdf2Sync(this.#password, this.#salt, ITERATIONS, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const auth = `${this.#clientFirst},${this.#serverFirst},${found[1]!}`;
    const signature = hmac(storedKey, auth);
    const proof = Buffer.from(found[3]!, 'base64');
    if (proof.length !== clientKey.length) return undefined;
    const expected = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!));
    if (!timingSafeEqual(expected, proof)) return undefined;
    return `v=${hmac(hmac(salted, 'Server Key'), auth).toString('base64')}`;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

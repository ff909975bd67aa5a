/** The certificate of the server: one for HTTP and the Postgres port, taken anew when its files change. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { segError } from '../diagnostics/seg-error.ts';
import type { Logger } from '../log/logger.ts';

/** Paths of PEM files; the certificate's may hold the chain behind it. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

const LOOK_MS = 1000;

export class ServerTls {
  readonly #files: TlsFiles;
  readonly #renewed: (() => void)[] = [];
  #pem: { readonly cert: Buffer; readonly key: Buffer };
  #context: SecureContext;

  /** @throws SegError SEG843 for files that cannot be read or do not belong together */
  constructor(files: TlsFiles) {
    this.#files = files;
    [this.#pem, this.#context] = load(files);
  }

  /** Certificate and key as they are now. */
  get pem(): { readonly cert: Buffer; readonly key: Buffer } {
    return this.#pem;
  }

  /** For connections that come from now on. */
  get context(): SecureContext {
    return this.#context;
  }

  onRenewed(take: () => void): void {
    this.#renewed.push(take);
  }

  /**
   * Takes renewed files, until the answer is called. While they do not belong together, as between the writing of the one and the other, what
   * was there before stays.
   */
  watch(log: Logger): () => void {
    const { cert, key } = this.#files;
    const take = (): void => {
      try {
        [this.#pem, this.#context] = load(this.#files);
        for (const each of this.#renewed) each();
        log.info('The certificate was renewed');
      } catch (error) {
        log.warn(
          `The certificate stays the old one: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    };
    for (const path of [cert, key]) watchFile(path, { interval: LOOK_MS, persistent: false }, take);
    return () => {
      for (const path of [cert, key]) unwatchFile(path, take);
    };
  }
}

function load({ cert, key }: TlsFiles): [{ cert: Buffer; key: Buffer }, SecureContext] {
  const pem = { cert: read(cert, '--tls-cert'), key: read(key, '--tls-key') };
  try {
    return [pem, createSecureContext({ ...pem, minVersion: 'TLSv1.2' })];
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error:\w+:/, '') : String(error);
    throw segError('SEG843', `the certificate "${cert}" and the key "${key}" cannot be used: ${why}`, {
      hint: 'Both are PEM files, the key without a passphrase, and belong together.',
      cause: error,
    });
  }
}

function read(path: string, flag: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw segError('SEG843', `the file of ${flag} cannot be read: "${path}": ${code ?? message}`, {
      hint: 'Give a path that the user of this process may read.',
      cause: error,
    });
  }
}

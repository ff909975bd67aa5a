import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The texts diagnostics point into: those a loaded project holds, else the files themselves. */
export class SourceTexts {
  #root: string;
  #files: ReadonlyMap<string, string> = new Map();

  /** @param folder where relative names start until a project is known */
  constructor(folder: string) {
    this.#root = folder;
  }

  use(root: string, files: ReadonlyMap<string, string> = new Map()): void {
    this.#root = root;
    this.#files = files;
  }

  /** undefined for what is no file: `--inline`, `<stdin>`. */
  of(file: string): string | undefined {
    const held = this.#files.get(file);
    if (held !== undefined) return held;
    try {
      return readFileSync(resolve(this.#root, file), 'utf8');
    } catch {
      // A place without its line is still a good message.
      return undefined;
    }
  }
}

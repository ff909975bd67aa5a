import type { Diagnostic, Location, Note } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';

const MOST = 20;

/** Everything wrong with a seed's file, so that one run shows it all; after 20 problems the rest would not help. */
export class SeedProblems {
  readonly #found: Diagnostic[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws all problems when there are enough of them. `column` counts from 1. */
  add(
    code: string,
    message: string,
    place: { line: number; column?: number; length?: number },
    more: { hint?: string; notes?: readonly Note[] } = {},
  ): void {
    this.#found.push({ severity: 'error', code, message, at: this.at(place), ...more });
    if (this.#found.length >= MOST) this.throwIfAny();
  }

  at(place: { line: number; column?: number; length?: number }): Location {
    return {
      file: this.#file,
      line: place.line,
      column: place.column ?? 1,
      length: Math.max(1, place.length ?? 1),
    };
  }

  throwIfAny(): void {
    if (this.#found.length > 0) throw new SegError(this.#found, { exitCode: 1 });
  }
}

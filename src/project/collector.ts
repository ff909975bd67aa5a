import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';

type More = Omit<Diagnostic, 'severity' | 'code' | 'message'>;

/** Gathers the mistakes of a stage, so that a user sees all of them at once and not one per run. */
export class Collector {
  readonly errors: Diagnostic[] = [];
  readonly warnings: Diagnostic[] = [];

  error(code: string, message: string, more: More = {}): void {
    this.errors.push({ severity: 'error', code, message, ...more });
  }

  warn(code: string, message: string, more: More = {}): void {
    this.warnings.push({ severity: 'warning', code, message, ...more });
  }

  add(diagnostics: Iterable<Diagnostic>): void {
    for (const diagnostic of diagnostics) {
      (diagnostic.severity === 'error' ? this.errors : this.warnings).push(diagnostic);
    }
  }

  /** Runs `step`; a SegError it throws is kept and undefined returned. */
  attempt<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof SegError)) throw error;
      this.add(error.diagnostics);
      return undefined;
    }
  }

  /** Ends the stage: throws a SegError with every error so far (and the warnings, which would be lost otherwise). */
  throwIfErrors(): void {
    if (this.errors.length === 0) return;
    throw new SegError([...this.warnings, ...distinct(this.errors)]);
  }
}

/** A macro used by two nodes reports its mistake twice, at the same place: once is enough. */
function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter((diagnostic) => {
    const { file, line, column } = diagnostic.at ?? { file: '', line: 0, column: 0 };
    const key = [diagnostic.code, diagnostic.message, file, line, column].join('\0');
    return !seen.has(key) && seen.add(key);
  });
}

import type { Diagnostic } from './diagnostic.ts';

/** dbt's exit codes: 1 = the command ran and a node or record failed; 2 = usage, configuration or compile error. */
export type ExitCode = 1 | 2;

/**
 * A mistake the user can mend. Carries every diagnostic its stage collected; `cli/main.ts` renders them and exits with
 * `exitCode`. Anything else that is thrown is a defect of seg and is reported as one.
 */
export class SegError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  readonly exitCode: ExitCode;

  constructor(
    diagnostics: Diagnostic | readonly Diagnostic[],
    options: { exitCode?: ExitCode; cause?: unknown } = {},
  ) {
    const list = Array.isArray(diagnostics)
      ? (diagnostics as readonly Diagnostic[])
      : [diagnostics as Diagnostic];
    super(list.map((diagnostic) => diagnostic.message).join('\n'), { cause: options.cause });
    this.name = 'SegError';
    this.diagnostics = list;
    this.exitCode = options.exitCode ?? 2;
  }
}

/** Shorthand for an error of one diagnostic. */
export function segError(
  code: string,
  message: string,
  more: Omit<Diagnostic, 'severity' | 'code' | 'message'> & { exitCode?: ExitCode; cause?: unknown } = {},
): SegError {
  const { exitCode, cause, ...rest } = more;
  return new SegError({ severity: 'error', code, message, ...rest }, { exitCode, cause });
}

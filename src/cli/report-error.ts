import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { renderDiagnostics } from '../diagnostics/render.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import { refusal } from '../engines/refusals.ts';
import type { Logger } from '../log/logger.ts';
import type { SourceTexts } from './source-texts.ts';

/** Logs whatever a command has thrown and answers its exit code. */
export function reportError(error: unknown, log: Logger, sources: SourceTexts, signal: AbortSignal): 1 | 2 {
  if (signal.aborted && (!(error instanceof SegError) || isCancelled(error.cause))) {
    log.error('Interrupted.', { name: 'MainKeyboardInterrupt', code: 'Z001' });
    log.debug(stackOf(error));
    return 2;
  }
  const known =
    error instanceof DatabaseError ? asSegError(error) : (fileError(error) ?? memoryError(error) ?? error);
  if (known instanceof SegError) {
    logDiagnostics(known.diagnostics, log, sources);
    log.debug(stackOf(known));
    return known.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  log.error(
    `Encountered an error:\nerror SEG999: internal error: ${message}\n` +
      (log.debugging
        ? stackOf(error)
        : '  hint: This is a defect of seg. Run the command again with --debug to see the stack trace, and report it.'),
    { name: 'MainEncounteredError', code: 'Z002' },
  );
  return 2;
}

/** A statement that an interrupt has ended. */
function isCancelled(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlstate === '57014';
}

/** What the operating system said of a file or folder. */
function fileError(error: unknown): SegError | undefined {
  if (!(error instanceof Error) || error instanceof SegError) return undefined;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  // A full disk is told of an open file, which has no name any more.
  if (code === undefined || syscall === undefined || (path === undefined && !isFull)) return undefined;
  const message = `cannot ${syscall} ${path === undefined ? 'to a file' : `"${path}"`} (${code})`;
  const hint = 'Check that it exists, that it may be written to, and that the disk is not full.';
  return new SegError({ severity: 'error', code: 'SEG105', message, hint }, { cause: error });
}

/** WebAssembly that gets no memory to begin with. */
function memoryError(error: unknown): SegError | undefined {
  const message = error instanceof Error ? error.message : '';
  if (!/WebAssembly.*(out of memory|could not allocate)/i.test(message)) return undefined;
  const hint = 'Give the process, or its container, more memory (ulimit -v must not be set).';
  return new SegError(
    {
      severity: 'error',
      code: 'SEG844',
      message: 'there is not enough memory for the embedded engine',
      hint,
    },
    { cause: error },
  );
}

/** Errors under dbt's heading, in one log record. */
export function logDiagnostics(diagnostics: readonly Diagnostic[], log: Logger, sources: SourceTexts): void {
  const text = renderDiagnostics(diagnostics, {
    sourceOf: (file) => sources.of(file),
    colors: log.colors.isColorSupported,
  });
  log.error(`Encountered an error:\n${text}`, {
    name: 'MainEncounteredError',
    code: 'Z002',
    data: { diagnostics },
  });
}

/** What the database said where no command knew the place in the project. */
function asSegError(error: DatabaseError): SegError {
  const refused = refusal(error);
  if (refused !== undefined) return refused;
  // The context of an error within a program quotes whole statements of seg's own: --debug shows those.
  const context = error.context !== undefined && error.context.length < 300 ? error.context : undefined;
  const notes = [error.detail, context].filter((text) => text !== undefined && text !== '');
  return new SegError(
    {
      severity: 'error',
      code: 'SEG899',
      message: `the database refused a statement: ${error.message} (SQLSTATE ${error.sqlstate})`,
      notes: notes.map((message) => ({ message: message! })),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    },
    { cause: error },
  );
}

function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) parts.push(at.stack ?? at.message);
  return parts.join('\ncaused by: ');
}

/** How a step ends badly: a mistake in the scenario, or an expectation that does not hold. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { ExpectationEdit } from './expectation-edit.ts';
import type { RowDiff } from './row-diff.ts';
import type { YamlPath } from './scenario.ts';

/** The step cannot run; ends the scenario with status `error`. */
export class StepMistake extends Error {
  readonly path: YamlPath | undefined;
  readonly hint: string | undefined;

  constructor(message: string, options: { path?: YamlPath; hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'StepMistake';
    this.path = options.path;
    this.hint = options.hint;
  }
}

/** One expectation of a step that does not hold. */
export interface StepFailure {
  /** One line: `model "x": 2 rows differ: ...`. */
  readonly message: string;
  readonly diff?: RowDiff;
  /** More lines, when there is no diff. */
  readonly lines?: readonly string[];
  readonly hint?: string;
  /** Rows that differ; at least 1. */
  readonly count: number;
  readonly at: Location;
  /** What would make the expectation hold; absent when that is not for a program to write. */
  readonly edit?: ExpectationEdit;
}

/** The lines that tell a person what was thrown: the message, PostgreSQL's detail and hint, seg's notes and hints. */
export function errorLines(error: unknown): string[] {
  if (error instanceof SegError) {
    return error.diagnostics.flatMap((diagnostic) => {
      const at =
        diagnostic.at === undefined
          ? ''
          : `${diagnostic.at.file}:${diagnostic.at.line}:${diagnostic.at.column}: `;
      const notes = (diagnostic.notes ?? []).map((note) => `note: ${note.message}`);
      const hint = diagnostic.hint === undefined ? [] : [`hint: ${diagnostic.hint}`];
      return [`${at}${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message}`, ...notes, ...hint];
    });
  }
  if (error instanceof DatabaseError) {
    const lines = [error.message];
    if (error.detail !== undefined) lines.push(`detail: ${error.detail}`);
    if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
    return lines;
  }
  if (error instanceof StepMistake)
    return [error.message, ...(error.hint === undefined ? [] : [`hint: ${error.hint}`])];
  return [error instanceof Error ? error.message : String(error)];
}

/**
 * The maintenance program of one input table: what happens, in the writer's own transaction, after a statement has
 * changed that table. ONE function a table; it brings every view downstream up to date in topological order, each
 * once, so no view is ever seen half way and each change feed gets one consolidated difference.
 *
 * A program is data (steps in order); `emit.ts` decides its layout. A step names the inputs whose change makes it
 * necessary, and carries the statement that maintains its view: today recompute-and-difference for each, and a
 * cheaper strategy is another statement in the same place.
 */
import type { ChangelogTarget, StoredView } from '../strategies/recompute.ts';
import { recomputeSql } from '../strategies/recompute.ts';

/** A maintained view as the compiler sees it. `reads` are ids of input tables and of other maintained views. */
export interface MaintainedView {
  readonly id: string;
  /** What people call it, for comments and messages. */
  readonly label: string;
  readonly stored: StoredView;
  /** Input tables and maintained views that the query reads, plain views seen through. */
  readonly reads: readonly string[];
  readonly changelog: Omit<ChangelogTarget, 'epoch'> | null;
}

export interface Step {
  readonly view: string;
  readonly label: string;
  readonly strategy: 'recompute';
  /** Views maintained earlier in this program; the step runs when one of them changed. Empty: it reads the input. */
  readonly after: readonly string[];
  /** Whether the view reads the input table itself, so that the step always runs. */
  readonly always: boolean;
  /** Answers one row, `changed`: how many distinct rows came or went. */
  readonly statement: string;
}

export interface Program {
  readonly input: string;
  readonly inputLabel: string;
  readonly steps: readonly Step[];
}

/** The PL/pgSQL variable that holds the step's number while a program runs. */
export const EPOCH_VARIABLE = '_seg_epoch';

/**
 * The program of one input table.
 * @param views every maintained view, in topological order (a view after all that it reads)
 */
export function compileProgram(
  input: { readonly id: string; readonly label: string },
  views: readonly MaintainedView[],
): Program {
  const touched = new Set<string>();
  const steps: Step[] = [];
  for (const view of views) {
    const always = view.reads.includes(input.id);
    const after = view.reads.filter((id) => touched.has(id));
    if (!always && after.length === 0) continue;
    touched.add(view.id);
    steps.push({
      view: view.id,
      label: view.label,
      strategy: 'recompute',
      after,
      always,
      statement: recomputeSql(
        view.stored,
        view.changelog === null ? null : { ...view.changelog, epoch: EPOCH_VARIABLE },
      ),
    });
  }
  return { input: input.id, inputLabel: input.label, steps };
}

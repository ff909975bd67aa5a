/** What runs when an input table has changed, as data; `emit-program.ts` decides its layout. */
import type { StepStatement } from '../strategies/statement.ts';
import type { StoredStage } from '../strategies/stored-stage.ts';

export type TableEvent = 'insert' | 'update' | 'delete';
export const tableEvents: readonly TableEvent[] = ['insert', 'update', 'delete'];

/** A maintained view with its stages in the order they are maintained; the last stage is the view itself. */
export interface PlannedView {
  /** The catalog's key of the relation users see; other views scan it by this key. */
  readonly key: string;
  readonly label: string;
  readonly stages: readonly StoredStage[];
}

export interface ProgramInput {
  /** The catalog's key. */
  readonly key: string;
  readonly label: string;
  readonly table: { readonly schema: string; readonly name: string };
}

export interface ProgramStep {
  readonly stored: StoredStage;
  /** Position among the program's steps of those whose change makes this one necessary. Empty: it reads the input. */
  readonly after: readonly number[];
  readonly always: boolean;
  /** Whether later steps read the change. */
  readonly wanted: boolean;
  /** The statement for each event; null: the stage is refreshed as a whole. */
  readonly statements: { readonly [event in TableEvent]: StepStatement } | null;
  /** Several changes meet in one join, so the step needs the change of the whole SQL statement at once. */
  readonly crossing: boolean;
  /** In the clock's program: what the step does when the clock has moved. */
  readonly clock?: ClockStep | undefined;
}

export interface ClockStep {
  /** SQL conditions over the two instants. Whether the move can change anything. */
  readonly moved: string;
  /** Whether it changes so much that the stage is refreshed as a whole. */
  readonly whole: string;
  /** null: the stage is always refreshed as a whole. */
  readonly statement: string | null;
}

export interface InputProgram {
  readonly input: ProgramInput;
  readonly steps: readonly ProgramStep[];
  /** Other input tables of the same views: when the same SQL statement changes one of them too, views are refreshed. */
  readonly related: readonly { readonly schema: string; readonly name: string }[];
  /** Stages that the steps read and the input does not reach. */
  readonly beside: readonly StageBeside[];
}

/** A stage that is refreshed before a step that reads it, when other inputs are under way in the same SQL statement. */
export interface StageBeside {
  readonly stored: StoredStage;
  /** The step that it comes before. */
  readonly before: number;
  readonly inputs: readonly { readonly schema: string; readonly name: string }[];
}

/** Variables of a program that carry the change of step `i`. */
export const removedVariable = (i: number): string => `_seg_o${i}`;
export const addedVariable = (i: number): string => `_seg_n${i}`;
export const countVariable = (i: number): string => `_seg_c${i}`;
export const EPOCH = '_seg_epoch';

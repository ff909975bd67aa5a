/**
 * What a run tells while it runs: a closed union, one record per fact, no text layout. `cli/report` turns these into
 * dbt's log lines and into the final summary; run_results.json is written from the same `NodeResult`s.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { GraphNode } from '../project/nodes.ts';
import type { ExpectationEdit } from '../testing/expectation-edit.ts';
import type { StepResult } from '../testing/test-result.ts';

/** dbt's result statuses: models and seeds are success / error / skipped / no-op, tests pass / fail / warn / error / skipped. */
export type NodeStatus = 'success' | 'no-op' | 'error' | 'skipped' | 'pass' | 'fail' | 'warn';

/** The outcome of one node of a run. */
export interface NodeResult {
  readonly node: GraphNode;
  readonly status: NodeStatus;
  /**
   * Models and seeds: what the engine answered, shown in brackets (`CREATE VIEW`, `SELECT 99`, `INSERT 3`, `unchanged`).
   * Tests: null, or the sentence under "Failure in test x". Errors: null when `diagnostics` say it all.
   */
  readonly message: string | null;
  /** Rows written (seeds, tables, maintained views); null when that means nothing. */
  readonly rows: number | null;
  /** Tests: failing rows, as `fail_calc` counted them; scenarios and unit tests: failed expectations; else null. */
  readonly failures: number | null;
  readonly seconds: number;
  /** Wall-clock of the execution, ISO 8601 UTC, for run_results.json. */
  readonly startedAt: string;
  readonly completedAt: string;
  /** What went wrong with `error`, or why a test failed; rendered with caret at the end of the run. */
  readonly diagnostics: readonly Diagnostic[];
  /** More lines shown at the end under the failure: the row difference of a unit test or a scenario step. */
  readonly details: string | null;
  /** `target/compiled/...`, relative to the project's root with forward slashes; null when nothing was compiled. */
  readonly compiledPath: string | null;
  /** Of a scenario. */
  readonly steps?: readonly StepResult[];
  /** Of a scenario that ran with `update`: what is to be written into its file. */
  readonly edits?: readonly ExpectationEdit[];
  /** Quoted relation that holds a test's failing rows, when it stores them. */
  readonly failuresRelation: string | null;
}

/** The end of a whole run. `results` are in order of completion. */
export interface RunResult {
  readonly results: readonly NodeResult[];
  readonly seconds: number;
  /** The run stopped before its last node: `--fail-fast`, or Ctrl-C. */
  readonly stopped: 'fail-fast' | 'interrupted' | null;
}

export type RunEvent =
  /** Before the first node: how many nodes will run, with how many at once, on which target. */
  | { readonly kind: 'runStart'; readonly total: number; readonly threads: number; readonly target: string }
  /** A node begins; `index` counts from 1 in order of start. Skipped nodes start too (their finish says `skipped`). */
  | { readonly kind: 'nodeStart'; readonly index: number; readonly total: number; readonly node: GraphNode }
  | {
      readonly kind: 'nodeFinish';
      readonly index: number;
      readonly total: number;
      readonly result: NodeResult;
    }
  /** on-run-start and on-run-end statements; `name` is dbt's (`segmentation.on-run-start.0`). */
  | { readonly kind: 'hookStart'; readonly index: number; readonly total: number; readonly name: string }
  | {
      readonly kind: 'hookFinish';
      readonly index: number;
      readonly total: number;
      readonly name: string;
      readonly status: 'success' | 'error';
      readonly message: string | null;
      readonly seconds: number;
      readonly diagnostics: readonly Diagnostic[];
    }
  /** Something worth a line between the nodes: a relation dropped by `--prune`, one that is gone from the project. */
  | { readonly kind: 'message'; readonly level: 'debug' | 'info' | 'warn'; readonly text: string }
  | { readonly kind: 'runFinish'; readonly result: RunResult };

/** Receives events in order; must not throw. */
export type RunListener = (event: RunEvent) => void;

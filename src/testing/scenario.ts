/** A scenario as the runner sees it: validated, with defaults filled in. Docs: docs/testing.md. */
import type { JsonRow, JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import type { RowsFormat } from './rows-text.ts';

/** Where something stands in the scenario's file, as keys and indexes from the document's root. */
export type YamlPath = readonly (string | number)[];

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** The clock at the start; null = the engine's own start. */
  readonly at: string | null;
  readonly vars: Readonly<Record<string, JsonValue>>;
  /** Compare every maintained view with its recomputation after each step, too. */
  readonly verifyEachStep: boolean;
  /** Repeat with the records of steps that say `any_order` in other orders and batches; 0 = once, as written. */
  readonly orders: { readonly count: number; readonly seed: number };
  readonly steps: readonly Step[];
  readonly file: string;
  /** The place of a path in the file; of its nearest parent when there is no such node. */
  readonly locate: (path: YamlPath, part?: 'key' | 'value') => Location;
  readonly path: YamlPath;
}

/** One step. What it holds runs in the order of these fields. */
export interface Step {
  /** From 1. */
  readonly number: number;
  readonly name: string | null;
  readonly path: YamlPath;
  readonly at: string | null;
  readonly advance: string | null;
  readonly restart: 'restart' | 'kill' | null;
  readonly seed: SeedStep | null;
  /** Builds models of kind `table` anew, as `seg run` does; true = all of them. */
  readonly run: true | readonly string[] | null;
  readonly sql: SqlStep | null;
  readonly ingest: IngestStep | null;
  readonly expect: readonly ExpectStep[];
  readonly changes: readonly ChangesStep[];
  readonly sinks: readonly SinkStep[];
  /** true = all maintained views. */
  readonly verify: boolean | readonly string[];
}

export interface SeedStep {
  readonly seed: string;
  /** null = as in the project's file. */
  readonly rows: RowsSource | null;
  readonly path: YamlPath;
}

export interface SqlStep {
  readonly sql: string;
  /** Part of the message the statement must fail with; null = it must not fail. */
  readonly error: string | null;
  readonly path: YamlPath;
}

/** Rows or records in one of the forms users write. */
export type RowsSource =
  | {
      readonly kind: 'inline';
      readonly rows: JsonValue;
      readonly format: RowsFormat | undefined;
      readonly path: YamlPath;
    }
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly format: RowsFormat | undefined;
      readonly path: YamlPath;
    };

export interface IngestStep {
  readonly source: string;
  readonly input:
    | RowsSource
    | {
        readonly kind: 'generate';
        readonly stream: string;
        readonly options: JsonRow;
        readonly path: YamlPath;
      };
  /** The records' order and grouping must not matter for what follows. */
  readonly anyOrder: boolean;
  readonly accepted: number | null;
  readonly duplicate: number | null;
  readonly rejected: number | readonly { line?: number; reason?: string }[] | null;
  readonly path: YamlPath;
}

export interface ExpectStep {
  readonly model: string;
  /** null = only `count` is asked. */
  readonly rows: RowsSource | null;
  /** Other rows may be there as well. */
  readonly contains: boolean;
  /** SQL condition, or values columns must equal. */
  readonly where: string | JsonRow | null;
  readonly columns: readonly string[] | null;
  /** SQL sort expressions; rows must come in this order. */
  readonly ordered: string | null;
  readonly count: number | null;
  readonly key: readonly string[] | null;
  readonly path: YamlPath;
}

export interface SinkStep {
  readonly sink: string;
  /** null = only `count` is asked. */
  readonly bodies: readonly JsonValue[] | null;
  /** Other bodies may have been sent as well. */
  readonly contains: boolean;
  readonly count: number | null;
  readonly path: YamlPath;
}

export interface ChangesStep {
  readonly model: string;
  readonly rows: RowsSource | null;
  readonly contains: boolean;
  readonly columns: readonly string[] | null;
  readonly count: number | null;
  readonly path: YamlPath;
}

/** What the scenario runner needs of a deployed project in an engine of its own. scenario-world.ts is the real one. */
import type { ChangeBatch, JsonRow, Position } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import type { Outgoing } from '../sinks/receivers/receiver.ts';
import type { YamlPath } from './scenario.ts';

/** A model, seed or source the scenario speaks of. */
export interface NamedRelation {
  readonly id: string;
  /** `model "x"`, for messages. */
  readonly title: string;
  /** Quoted, as SQL. */
  readonly sql: string;
  /** Columns that identify a row; empty when none are declared. */
  readonly key: readonly string[];
}

export type IngestInput =
  | { readonly kind: 'records'; readonly records: readonly JsonRow[] }
  | { readonly kind: 'text'; readonly text: string; readonly format: 'json' | 'csv' };

export interface IngestOutcome {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: readonly { readonly line: number; readonly reason: string }[];
}

export interface ViewVerified {
  readonly title: string;
  /** Rows the recomputation gives and the view lacks, and the other way round. */
  readonly missing: number;
  readonly extra: number;
  /** Some of them, as lines for people. */
  readonly samples: readonly string[];
}

export interface ScenarioEngine {
  /** The session; another one after `restart`. */
  readonly db: Connection;
  /** Finds a model, seed or source by name (`x`, `source.x`, `package.x`). Throws a StepMistake when there is none. */
  find(name: string): NamedRelation;
  /** Changes of these models are recorded from now on. */
  keepChanges(ids: readonly string[]): Promise<void>;
  /** @param origin kept with rejected records; unique per call */
  ingest(source: string, input: IngestInput, origin: string): Promise<IngestOutcome>;
  /** @param rows null = the rows of the project's own file */
  loadSeed(seed: string, rows: readonly JsonRow[] | null): Promise<void>;
  /** Builds models anew, as `seg run` does. @param names null = all models of kind `table` */
  run(names: readonly string[] | null): Promise<void>;
  generate(stream: string, options: JsonRow): JsonRow[];
  /** Renders Jinja. */
  render(sql: string, file: string): string;
  readClock(): Promise<string>;
  setClock(instant: string): Promise<void>;
  /** `restart` closes the engine and opens it on its data; `kill` opens it on the data as an abrupt end leaves them. */
  restart(how: 'restart' | 'kill'): Promise<void>;
  position(): Promise<Position>;
  /** Batches after `from`, in order. */
  changes(id: string, from: Position): Promise<readonly ChangeBatch[]>;
  /**
   * What a sink sends of what has changed since this was asked before. Throws a StepMistake when there is no such sink.
   * @param path where the scenario names it
   */
  sent(sink: string, path: YamlPath): Promise<readonly Outgoing[]>;
  /** Maintained views against their recomputation. @param names null = all */
  verify(names: readonly string[] | null): Promise<readonly ViewVerified[]>;
  close(): Promise<void>;
}

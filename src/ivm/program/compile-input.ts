/**
 * Views with their stages → the program of one input table. Stages are taken in topological order, each once; a stage
 * runs when the input or a stage before it changed something it reads.
 */
import { quoteRelation } from '../../sql/quote.ts';
import { affected } from '../plan/affected.ts';
import { occurrencesOf } from '../plan/classify.ts';
import type { KeyWithin } from '../plan/restrict.ts';
import { signedTerms } from '../plan/signed.ts';
import type { SignedTerms } from '../plan/signed.ts';
import { touchedPositions } from '../plan/suffix-region.ts';
import { walkAll } from '../relation/expression.ts';
import type { Op } from '../relation/ir.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { mergeStatement } from '../strategies/merge.ts';
import { mergedTree } from '../strategies/merge-layout.ts';
import { linearSql } from '../strategies/linear.ts';
import { rekeySql } from '../strategies/rekey.ts';
import { sourceSql } from '../strategies/sources.ts';
import type { Source } from '../strategies/sources.ts';
import { answering } from '../strategies/statement.ts';
import type { StepStatement } from '../strategies/statement.ts';
import type { StoredStage } from '../strategies/stored-stage.ts';
import { clockStep } from './clock-step.ts';
import { suffixSql } from '../strategies/suffix.ts';
import { EPOCH, addedVariable, removedVariable, tableEvents } from './program-data.ts';
import type {
  ClockStep,
  InputProgram,
  PlannedView,
  ProgramInput,
  ProgramStep,
  StageBeside,
  TableEvent,
} from './program-data.ts';

export interface CompileContext {
  /** Where the rows of a table that is no stage lie. */
  readonly table: (relation: string) => { readonly schema: string; readonly name: string };
  readonly keyWithin: KeyWithin;
  readonly clock: { readonly schema: string; readonly name: string };
}

/** @param views all maintained views, a view after those it reads */
export function compileInput(
  input: ProgramInput,
  views: readonly PlannedView[],
  context: CompileContext,
): InputProgram {
  const steps: OpenStep[] = [];
  /** Relation (in one global naming) → its step, for the relations changed so far. */
  const stepOf = new Map<string, number>();
  const tableOf = new Map<string, StoredStage>();
  const wanted = new Set<number>();
  const clockKey = quoteRelation(context.clock);
  const related = new Map<string, { schema: string; name: string }>();
  const inputsOf = new Map<string, Set<string>>();
  const read = new Set<string>();
  const unreached: { name: string; reads: string[]; beside: StageBeside }[] = [];
  for (const view of views) {
    const global = (relation: string): string =>
      relation.startsWith('#') ? `${view.key}${relation}` : relation;
    for (const stored of view.stages) {
      const { stage } = stored;
      const name = stage.name === '' ? view.key : global(`#${stage.name}`);
      tableOf.set(name, stored);
      const inputs = new Set<string>();
      const reads = stage.reads.map(global);
      for (const relation of reads) {
        for (const of of inputsOf.get(relation) ?? [relation]) inputs.add(of);
      }
      if (stage.readsClock) inputs.add(clockKey);
      inputsOf.set(name, inputs);
      const always = stage.reads.includes(input.key) || (stage.readsClock && input.key === clockKey);
      const after = reads.map((relation) => stepOf.get(relation)).filter((step) => step !== undefined);
      if (!always && after.length === 0) {
        const tables = [...inputs].map((key) => context.table(key));
        unreached.push({ name, reads, beside: { stored, before: steps.length, inputs: tables } });
        continue;
      }
      for (const relation of reads) read.add(relation);
      const step = compileStep(stored, context, {
        source: (relation, event) => {
          const key = global(relation);
          const stageOf = tableOf.get(key);
          const table = stageOf === undefined ? context.table(key) : stageOf.table;
          const changedBy = stepOf.get(key);
          if (changedBy !== undefined) {
            return {
              table,
              removed: `unnest(${removedVariable(changedBy)})`,
              added: `unnest(${addedVariable(changedBy)})`,
            };
          }
          if (key !== input.key) return { table, removed: null, added: null };
          return {
            table,
            removed: event === 'insert' ? null : '_seg_old',
            added: event === 'delete' ? null : '_seg_new',
          };
        },
        changed: new Set(
          stage.reads.filter((relation) => relation === input.key || stepOf.has(global(relation))),
        ),
        clockMoved: input.key === clockKey && stage.readsClock,
      });
      // A refresh reads the relations themselves; it needs to know only whether they changed.
      for (const at of after) wanted.add(at);
      stepOf.set(name, steps.length);
      steps.push({
        stored,
        after,
        always,
        make: step.make,
        crossing: step.crossing,
        makeClock: step.makeClock,
      });
      for (const other of inputs) if (other !== input.key) related.set(other, context.table(other));
    }
  }
  const beside: StageBeside[] = [];
  for (const stage of unreached.reverse()) {
    if (!read.has(stage.name)) continue;
    for (const relation of stage.reads) read.add(relation);
    if (stage.beside.inputs.length === 0) continue;
    beside.unshift(stage.beside);
  }
  // What a step hands on is known only when all its readers are.
  return {
    input,
    steps: steps.map(({ make, makeClock, ...step }, i) => ({
      ...step,
      wanted: wanted.has(i),
      statements: make === null ? null : make(wanted.has(i)),
      clock: makeClock?.(wanted.has(i)),
    })),
    related: [...related.values()],
    beside,
  };
}

type Statements = { readonly [event in TableEvent]: StepStatement };

/** A step before it is known whether a later one reads its change. */
interface OpenStep extends Omit<ProgramStep, 'wanted' | 'statements' | 'clock'> {
  readonly make: ((wanted: boolean) => Statements) | null;
  readonly makeClock?: ((wanted: boolean) => ClockStep | undefined) | undefined;
}

interface StepSources {
  readonly source: (relation: string, event: TableEvent) => Source;
  /** Relations of the stage that changed, under the stage's own names. */
  readonly changed: ReadonlySet<string>;
  readonly clockMoved: boolean;
}

function compileStep(
  stored: StoredStage,
  context: CompileContext,
  { source, changed, clockMoved }: StepSources,
): Pick<OpenStep, 'make' | 'makeClock' | 'crossing'> {
  const { stage } = stored;
  const { root } = stage;
  const now = `(SELECT "now" FROM ${quoteRelation(context.clock)})`;
  const optionsFor = (event: TableEvent): SqlOptions => ({
    now,
    driven: true,
    from: (scan) => sourceSql(scan, source(scan.relation, event)),
  });
  if (clockMoved) {
    const makeClock = (wanted: boolean): ClockStep | undefined =>
      clockStep(stored, optionsFor('update'), changed, context.keyWithin, wanted);
    return { make: null, makeClock, crossing: false };
  }
  if (stage.strategy === 'recompute' || stage.strategy === 'top' || root === null)
    return { make: null, crossing: false };
  const occurrences = occurrencesOf(root, changed);
  const removesAt = (event: TableEvent): boolean =>
    [...changed].some((relation) => source(relation, event).removed !== null);
  const perEvent = (make: (options: SqlOptions, event: TableEvent) => StepStatement): Statements => {
    const [insert, update, remove] = tableEvents.map((event) => make(optionsFor(event), event));
    return { insert: insert!, update: update!, delete: remove! };
  };
  if (stage.strategy === 'linear') {
    const change = signedTerms(root, occurrences);
    return {
      make: (wanted) =>
        perEvent((options, event) => linearSql(stored, change, options, EPOCH, wanted, removesAt(event))),
      crossing: change.terms.some(({ crossing }) => crossing),
    };
  }
  if (stage.suffix !== undefined) {
    const { suffix } = stage;
    const touched = occurrences.map((occurrence) => touchedPositions(root, suffix, occurrence));
    return {
      make: (wanted) =>
        perEvent((options) =>
          answering(suffixSql(stored, touched, context.keyWithin, options, EPOCH, wanted)),
        ),
      crossing: touched.some((tree) => meetsOther(tree, changed)),
    };
  }
  if (stage.strategy === 'merge') {
    const termsOf = (input: Op): SignedTerms => signedTerms(input, occurrences);
    const { keyWithin } = context;
    // Where changes meet, what came is taken off again in the state before.
    const crossing = termsOf(mergedTree(stored).aggregate.child).terms.some((term) => term.crossing);
    return {
      make: (wanted) =>
        perEvent((options, event) => {
          const removes = crossing || removesAt(event);
          return mergeStatement(stored, { termsOf, keyWithin, options, epoch: EPOCH, wanted, removes });
        }),
      crossing,
    };
  }
  const touched = occurrences.map((occurrence) => affected(root, occurrence, new Set(stage.key)));
  return {
    make: (wanted) =>
      perEvent((options) => answering(rekeySql(stored, touched, context.keyWithin, options, EPOCH, wanted))),
    crossing: touched.some((tree) => meetsOther(tree, changed)),
  };
}

function meetsOther(tree: Op, changed: ReadonlySet<string>): boolean {
  let found = false;
  walkAll(tree, (op) => {
    if (op.kind === 'scan' && op.mode === 'ever' && changed.has(op.relation)) found = true;
  });
  return found;
}

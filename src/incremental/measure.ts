/**
 * What maintenance costs, measured: the last rows of each input are taken out and put in again, in batches of several sizes,
 * by programs that note the time of each step; then all of it is rolled back. Real rows, real keys, the real history, and
 * nothing is left of it (feeds, clock and steps included). While it lasts, other writers wait, as for any transaction.
 */
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import { compileInput } from '../ivm/program/compile-input.ts';
import { emitProgram } from '../ivm/program/emit-program.ts';
import type { InputProgram, ProgramInput } from '../ivm/program/program-data.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { keepWritersOut } from '../state/take-turns.ts';
import { compileContext, emitOptions } from './install-programs.ts';
import type { InstallOptions } from './install-programs.ts';
import type { StoredPlan } from './stored-plan.ts';

/** One step of a program, over the runs of a batch. */
export interface MeasuredStep {
  /** The view it belongs to, by key, and the number of its intermediate result (null: the view itself). */
  readonly view: string;
  readonly number: string | null;
  /** Changed rows it read; null when it was recomputed as a whole. */
  readonly rowsIn: number | null;
  /** Rows it changed. */
  readonly rowsOut: number;
  /** A mean, since PGlite's clock ticks in milliseconds: over many runs what is cut off and what is added even out. */
  readonly meanMs: number;
  readonly lastMs: number;
}

/** One kind of statement on one input, run several times. */
export interface MeasuredBatch {
  /** The input by key; the clock's row for moves of the clock. */
  readonly input: string;
  readonly statement: 'INSERT' | 'DELETE' | 'UPDATE';
  readonly rows: number;
  readonly runs: number;
  /** Mean of the statement as its sender sees it, maintenance included. */
  readonly statementMs: number;
  /** All steps of the program that ran, those of other views too. */
  readonly steps: readonly MeasuredStep[];
}

export interface Measurement {
  readonly batches: readonly MeasuredBatch[];
  /** Inputs that could not be measured, and why. */
  readonly notes: readonly string[];
}

const sizes = [
  { rows: 1, runs: 40, warm: 3 },
  { rows: 100, runs: 10, warm: 1 },
  { rows: 1000, runs: 5, warm: 1 },
];
/** So long a size is measured (three runs at least), and a larger one is not begun when one statement took longer. */
const PATIENCE_MS = 2000;

/** @param connection outside a transaction, or within one that may be held up */
export async function measureInputs(
  connection: Connection,
  plans: readonly StoredPlan[],
  inputs: readonly ProgramInput[],
  install: InstallOptions,
): Promise<Measurement> {
  const batches: MeasuredBatch[] = [];
  const notes: string[] = [];
  const context = compileContext(plans, install.stateSchema);
  const undo = new Error('undo');
  for (const input of inputs) {
    const program = compileInput(input, plans, context);
    const clock = input.key === quoteRelation(context.clock);
    try {
      await connection.transaction(async (tx) => {
        await keepWritersOut(tx, [input.table]);
        const timed = emitOptions(input.table, { ...install, timed: true });
        for (const { text } of emitProgram(program, timed)) await tx.exec(text);
        if (clock) batches.push(await moveClock(tx, program, plans));
        else batches.push(...(await replay(tx, program, plans, notes)));
        throw undo;
      });
    } catch (error) {
      if (error === undo) continue;
      if (sqlstateOf(error) === undefined) throw error;
      notes.push(`${input.key} could not be measured: ${(error as Error).message}`);
    }
  }
  return { batches, notes };
}

async function replay(
  tx: Connection,
  program: InputProgram,
  plans: readonly StoredPlan[],
  notes: string[],
): Promise<MeasuredBatch[]> {
  const { key, table } = program.input;
  const on = quoteRelation(table);
  const { rows: found } = await tx.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [on],
  );
  const list = found.map(({ name }) => quoteIdentifier(name)).join(', ');
  const kept = 'pg_temp."_seg_replayed"';
  const batches: MeasuredBatch[] = [];
  for (const { rows: wanted, runs, warm } of sizes) {
    const inserts: Run[] = [];
    const deletes: Run[] = [];
    let rows = 0;
    const begun = performance.now();
    for (let run = -warm; run < runs; run++) {
      if (run >= 3 && performance.now() - begun > PATIENCE_MS) break;
      await tx.exec(`DROP TABLE IF EXISTS ${kept};
        CREATE TEMPORARY TABLE "_seg_replayed" AS SELECT tableoid AS "_seg_table", ctid AS "_seg_place", ${list === '' ? '' : `${list}, `}1 AS "_seg_one"
        FROM ${on} ORDER BY ctid DESC LIMIT ${wanted}`);
      const gone = await timed(
        tx,
        `DELETE FROM ${on} WHERE ctid = ANY (ARRAY(SELECT "_seg_place" FROM ${kept})) AND (tableoid, ctid) IN (SELECT "_seg_table", "_seg_place" FROM ${kept})`,
      );
      rows = gone.rows;
      if (rows === 0) break;
      const come = await timed(
        tx,
        `INSERT INTO ${on} (${list}) OVERRIDING SYSTEM VALUE SELECT ${list} FROM ${kept} ORDER BY "_seg_place"`,
      );
      // The first runs plan the statements, which a session does once.
      if (run < 0) continue;
      deletes.push(gone);
      inserts.push(come);
    }
    if (rows === 0) {
      notes.push(`${key} is empty: let some rows come in, then ask again`);
      break;
    }
    batches.push(
      batch(program, plans, 'INSERT', rows, inserts),
      batch(program, plans, 'DELETE', rows, deletes),
    );
    // The table has no more rows than that, or more of them would take too long.
    if (rows < wanted || mean(inserts.map(({ ms }) => ms)) > PATIENCE_MS) break;
  }
  return batches;
}

async function moveClock(
  tx: Connection,
  program: InputProgram,
  plans: readonly StoredPlan[],
): Promise<MeasuredBatch> {
  const runs: Run[] = [];
  for (let run = -2; run < 20; run++) {
    const moved = await timed(
      tx,
      `UPDATE ${quoteRelation(program.input.table)} SET "now" = "now" + interval '1 second'`,
    );
    if (run >= 0) runs.push(moved);
  }
  return batch(program, plans, 'UPDATE', 1, runs);
}

interface Run {
  readonly ms: number;
  readonly rows: number;
  readonly steps: readonly (readonly [
    step: number,
    ms: number,
    rowsIn: number | null,
    rowsOut: number | null,
  ])[];
}

async function timed(tx: Connection, statement: string): Promise<Run> {
  await tx.query(`SELECT set_config('seg.timed', '', true)`);
  const begun = performance.now();
  const { rowCount } = await tx.query(statement);
  const ms = performance.now() - begun;
  const { rows } = await tx.query<{ timed: string }>(`SELECT current_setting('seg.timed', true) AS timed`);
  return { ms, rows: rowCount, steps: JSON.parse(`[${rows[0]!.timed.slice(1)}]`) as Run['steps'] };
}

function batch(
  program: InputProgram,
  plans: readonly StoredPlan[],
  statement: MeasuredBatch['statement'],
  rows: number,
  runs: readonly Run[],
): MeasuredBatch {
  const keyOf = new Map(plans.map(({ key, relation }) => [quoteRelation(relation), key]));
  const steps = program.steps.flatMap(({ stored }, i): MeasuredStep[] => {
    const times = runs.flatMap((run) => run.steps.filter(([step]) => step === i));
    const last = times.at(-1);
    if (last === undefined) return [];
    return [
      {
        view: keyOf.get(quoteRelation(stored.owner)) ?? quoteRelation(stored.owner),
        number: stored.stage.name === '' ? null : stored.stage.name,
        rowsIn: last[2],
        rowsOut: last[3] ?? 0,
        meanMs: mean(times.map(([, ms]) => ms)),
        lastMs: last[1],
      },
    ];
  });
  return {
    input: program.input.key,
    statement,
    rows,
    runs: runs.length,
    statementMs: mean(runs.map(({ ms }) => ms)),
    steps,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function sqlstateOf(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.sqlstate;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

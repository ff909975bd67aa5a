/** Plans → programs and triggers of their input tables. */
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { compileInput } from '../ivm/program/compile-input.ts';
import type { CompileContext } from '../ivm/program/compile-input.ts';
import { emitProgram, emitProgramTriggers, emitRefresh } from '../ivm/program/emit-program.ts';
import type { EmitOptions } from '../ivm/program/emit-program.ts';
import type { InputProgram, ProgramInput } from '../ivm/program/program-data.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { ANNOUNCE } from '../state/begin-statement.ts';
import { followTable, unfollowTable } from '../state/followed-tables.ts';
import { writeInputLocks } from '../state/input-locks.ts';
import type { StoredPlan } from './stored-plan.ts';

export const functionParts = ['insert', 'update', 'delete', 'truncate', 'refresh', 'whole'] as const;

/** From this many changed rows on, views are refreshed set-wise. */
export const LARGE_CHANGE = 100_000;

export interface InstallOptions {
  readonly stateSchema: string;
  readonly searchPath: readonly string[];
  /** What an error within a view advises whoever wrote the rows. */
  readonly remedy?: string;
  /** Whether programs measure themselves. */
  readonly timed?: boolean;
}

const mend = 'Mend the query, or the row: a / nullif(b, 0) guards a division, CASE WHEN ... THEN a cast.';

export function emitOptions(input: RelationName | null, options: InstallOptions): EmitOptions {
  return {
    ...options,
    remedy: options.remedy ?? mend,
    largeChange: LARGE_CHANGE,
    functionName: (part) => ({
      schema: options.stateSchema,
      name: shortName(part, input?.schema ?? '', input?.name ?? ''),
    }),
    refreshName: ({ table }) => ({
      schema: options.stateSchema,
      name: shortName('refresh stage', table.name),
    }),
  };
}

export function compileContext(plans: readonly StoredPlan[], stateSchema: string): CompileContext {
  const clock = { schema: stateSchema, name: 'clock' };
  const tables = new Map(plans.flatMap(({ inputs }) => inputs.map((input) => [input.key, input] as const)));
  return {
    clock,
    table: (relation) => {
      if (relation === quoteRelation(clock)) return clock;
      const found = tables.get(relation);
      if (found === undefined) throw new Error(`invariant: no table ${relation}`);
      return found.table;
    },
    keyWithin: keyWithin(plans),
  };
}

export function keyWithin(plans: readonly Pick<StoredPlan, 'inputs'>[]): CompileContext['keyWithin'] {
  const keys = new Map(
    plans.flatMap(({ inputs }) => inputs.map((input) => [input.key, input.keys] as const)),
  );
  return (relation, columns) =>
    keys.get(relation)?.find((key) => key.length > 0 && key.every((name) => columns.includes(name)));
}

/** The inputs of plans, the clock among them when one reads it. */
export function inputsOf(plans: readonly StoredPlan[], stateSchema: string): ProgramInput[] {
  const inputs = new Map<string, ProgramInput>();
  const clock = { schema: stateSchema, name: 'clock' };
  for (const plan of plans) {
    for (const { key, table } of plan.inputs) inputs.set(key, { key, label: key, table });
    if (plan.readsClock)
      inputs.set(quoteRelation(clock), { key: quoteRelation(clock), label: 'the clock', table: clock });
  }
  return [...inputs.values()];
}

export async function installProgram(
  tx: Connection,
  program: InputProgram,
  plain: boolean,
  options: InstallOptions,
): Promise<void> {
  const emit = emitOptions(program.input.table, options);
  for (const { text } of emitProgram(program, emit)) await tx.exec(text);
  await installTriggers(tx, program.input.table, emit, plain);
}

/** Whether one of the plans rests on an input's having no children. */
export function isPlain(plans: readonly Pick<StoredPlan, 'inputs'>[], input: ProgramInput): boolean {
  return plans.some(({ inputs }) => inputs.some(({ key, parent }) => key === input.key && parent !== true));
}

/** Puts the triggers of a program on its input and the input's family, in the place of those that a state schema has there. */
export async function installTriggers(
  tx: Connection,
  table: RelationName,
  options: EmitOptions,
  plain: boolean,
): Promise<void> {
  const wanted = emitProgramTriggers(table, options);
  const standing = await triggersOf(tx, table, options.stateSchema);
  await dropTriggers(
    tx,
    table,
    standing.filter(({ name }) => !wanted.has(name)),
  );
  for (const statement of wanted.values()) await tx.exec(statement);
  const { stateSchema, functionName } = options;
  const begin = options.begin ?? { schema: stateSchema, name: ANNOUNCE };
  await followTable(tx, stateSchema, { table, plain, functionName, begin });
}

/** The triggers on a table that belong to a state schema and the table's own program, and whether they fire for ordinary writers. */
export async function triggersOf(
  tx: Connection,
  table: RelationName,
  stateSchema: string,
): Promise<{ name: string; fires: boolean }[]> {
  const { rows } = await tx.query<{ name: string; fires: boolean }>(
    `SELECT t.tgname::text AS name, t.tgenabled IN ('O', 'A') AS fires
     FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
     WHERE t.tgrelid = to_regclass($1) AND p.pronamespace = $2::regnamespace AND NOT t.tgisinternal AND t.tgnargs = 0`,
    [quoteRelation(table), quoteIdentifier(stateSchema)],
  );
  return rows;
}

async function dropTriggers(
  tx: Connection,
  table: RelationName,
  triggers: readonly { name: string }[],
): Promise<void> {
  for (const { name } of triggers)
    await tx.exec(`DROP TRIGGER ${quoteIdentifier(name)} ON ${quoteRelation(table)}`);
}

export async function removeProgram(
  tx: Connection,
  table: RelationName,
  options: InstallOptions,
): Promise<void> {
  const emit = emitOptions(table, options);
  // Triggers go with their functions, which needs no right on a table of somebody else's.
  for (const part of [...functionParts, 'begin']) {
    await tx.exec(`DROP FUNCTION IF EXISTS ${quoteRelation(emit.functionName(part))} CASCADE`);
  }
  await dropTriggers(tx, table, await triggersOf(tx, table, options.stateSchema));
  await unfollowTable(tx, options.stateSchema, table);
}

/** Makes the programs of the given inputs anew; inputs that no plan reads any more lose theirs. */
export async function installPrograms(
  tx: Connection,
  plans: readonly StoredPlan[],
  changed: readonly ProgramInput[],
  options: InstallOptions,
): Promise<void> {
  const context = compileContext(plans, options.stateSchema);
  const used = new Set(inputsOf(plans, options.stateSchema).map(({ key }) => key));
  for (const input of changed) {
    // Somebody may have dropped the table with all that depended on it.
    const { rows } = await tx.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      quoteRelation(input.table),
    ]);
    if (used.has(input.key) && rows[0]!.there)
      await installProgram(tx, compileInput(input, plans, context), isPlain(plans, input), options);
    else await removeProgram(tx, input.table, options);
  }
  await writeInputLocks(tx, options.stateSchema);
}

export async function installRefresh(
  tx: Connection,
  plan: StoredPlan,
  options: InstallOptions,
): Promise<void> {
  for (const stored of plan.stages) await tx.exec(emitRefresh(stored, emitOptions(null, options)));
}

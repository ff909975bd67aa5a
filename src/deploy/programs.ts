/** Deployed nodes → the maintenance program and triggers of each input table; only what differs is made again. */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import {
  compileContext,
  emitOptions,
  inputsOf,
  installTriggers,
  isPlain,
  removeProgram,
} from '../incremental/install-programs.ts';
import { compileInput } from '../ivm/program/compile-input.ts';
import { emitProgram } from '../ivm/program/emit-program.ts';
import type { EmitOptions } from '../ivm/program/emit-program.ts';
import type { InputProgram } from '../ivm/program/program-data.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { announceStatement } from '../state/begin-statement.ts';
import { writeInputLocks } from '../state/input-locks.ts';
import { CLOCK } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { isFollowed } from './examine-existing.ts';
import { readPlans } from '../incremental/stored-plan.ts';
import { replanned, writePlans } from './plans.ts';
import { indexKeys } from './key-indexes.ts';
import { watchKeys } from './watch-keys.ts';

export interface ProgramRequest {
  readonly stateSchema: string;
  readonly searchPath: readonly string[];
  readonly deployed: ReadonlyMap<string, DeployedNode>;
  /** Input tables whose triggers are gone although their program may be the same. */
  readonly untriggered: ReadonlySet<string>;
  /** Whether rows may have changed without the programs (a deployment does that, following a feed does not). */
  readonly refreshStages: boolean;
}

/** What a failing statement advises: whoever wrote it may never have heard of seg. */
const remedy =
  'Mend the model and deploy it, or mend the row: a / nullif(b, 0) guards a division, CASE WHEN ... THEN a cast. Where the source says on_error: quarantine, "seg ingest" puts such rows aside.';

/**
 * Writes the plans of all maintained views, the programs of all inputs that any of them depends on, and takes away those of
 * inputs that none does.
 */
export async function writePrograms(tx: Connection, request: ProgramRequest): Promise<void> {
  const { stateSchema, deployed } = request;
  const seg = quoteIdentifier(stateSchema);
  const plans = await writePlans(tx, request);
  await watchKeys(tx, plans, request);
  await indexKeys(tx, plans, request);
  const context = compileContext(plans, stateSchema);
  const used = new Map(inputsOf(plans, stateSchema).map((input) => [input.key, input]));
  const standing = await standingPrograms(tx, stateSchema);
  for (const { id, label, relation, foreign } of inputs(deployed, stateSchema)) {
    const key = quoteRelation(relation);
    const input = used.get(key);
    if (input === undefined) continue;
    const known = standing.get(id);
    standing.delete(id);
    const emit = emitFor(request, relation, foreign);
    const { texts, checksum } = emitted(compileInput({ ...input, label }, plans, context), emit);
    const differs = known?.checksum !== checksum;
    if (differs) {
      for (const { text } of texts) await tx.exec(text);
      await tx.query(
        `INSERT INTO ${seg}.program (input, function_name, relation, checksum) VALUES ($1, $2, $3, $4)
         ON CONFLICT (input) DO UPDATE SET function_name = excluded.function_name, relation = excluded.relation, checksum = excluded.checksum`,
        [id, emit.functionName('refresh').name, key, checksum],
      );
    }
    if (differs || request.untriggered.has(id)) {
      if (emit.begin !== undefined) await tx.exec(announceStatement(stateSchema, emit.begin));
      await installTriggers(tx, relation, emit, isPlain(plans, input));
    }
  }
  for (const id of standing.keys()) {
    const node = deployed.get(id);
    if (id === CLOCK) await removeProgram(tx, { schema: stateSchema, name: 'clock' }, request);
    else if (node !== undefined)
      await removeProgram(tx, { schema: node.schema, name: node.relation }, request);
    await tx.query(`DELETE FROM ${seg}.program WHERE input = $1`, [id]);
  }
  await writeInputLocks(tx, stateSchema);
}

/**
 * Keys of the maintained views that this compiler keeps in another way than the one that made the programs: by another plan, or
 * by another program of an input. Reads only.
 */
export async function outdatedViews(
  tx: Connection,
  request: Omit<ProgramRequest, 'untriggered' | 'refreshStages'>,
): Promise<Set<string>> {
  const { stateSchema, deployed } = request;
  const plans = await readPlans(tx, stateSchema);
  if (plans.length === 0) return new Set();
  const { rows } = await tx.query<{ path: string }>("SELECT current_setting('search_path') AS path");
  const outdated = await replanned(tx, request, plans);
  // Hooks and models that come after this were written for the path of the session.
  await tx.query("SELECT set_config('search_path', $1, true)", [rows[0]!.path]);
  const context = compileContext(plans, stateSchema);
  const used = new Map(inputsOf(plans, stateSchema).map((input) => [input.key, input]));
  const standing = await standingPrograms(tx, stateSchema);
  for (const { id, label, relation, foreign } of inputs(deployed, stateSchema)) {
    const input = used.get(quoteRelation(relation));
    if (input === undefined) continue;
    const program = compileInput({ ...input, label }, plans, context);
    if (emitted(program, emitFor(request, relation, foreign)).checksum === standing.get(id)?.checksum)
      continue;
    for (const { stored } of program.steps) outdated.add(quoteRelation(stored.owner));
  }
  return outdated;
}

async function standingPrograms(
  tx: Connection,
  stateSchema: string,
): Promise<Map<string, { input: string; relation: string; checksum: string }>> {
  const { rows } = await tx.query<{ input: string; relation: string; checksum: string }>(
    `SELECT input, relation, checksum FROM ${quoteIdentifier(stateSchema)}.program`,
  );
  return new Map(rows.map((row) => [row.input, row]));
}

function emitFor(
  request: Pick<ProgramRequest, 'stateSchema' | 'searchPath'>,
  relation: RelationName,
  foreign: boolean,
): EmitOptions {
  const plain = emitOptions(relation, { ...request, remedy });
  return foreign ? { ...plain, begin: plain.functionName('begin') } : plain;
}

/** A program's texts, and a checksum of them. Row types are part of what was compiled: another table of the same name means another program. */
function emitted(
  program: InputProgram,
  emit: EmitOptions,
): { texts: { name: RelationName; text: string }[]; checksum: string } {
  const texts = emitProgram(program, emit);
  const oids = [...program.steps, ...program.beside].map(({ stored }) => stored.oid).join(' ');
  const hash = createHash('sha256').update([oids, ...texts.map(({ text }) => text)].join('\n'));
  return { texts, checksum: hash.digest('hex') };
}

interface Input {
  readonly id: string;
  readonly label: string;
  readonly relation: { readonly schema: string; readonly name: string };
  /** Somebody else made it. */
  readonly foreign: boolean;
}

function inputs(deployed: ReadonlyMap<string, DeployedNode>, stateSchema: string): Input[] {
  const tables = [...deployed.values()]
    .filter((node) => ['source', 'seed', 'table'].includes(node.kind) || isFollowed(node))
    .map((node) => ({
      id: node.uniqueId,
      label: node.label,
      relation: { schema: node.schema, name: node.relation },
      foreign: node.kind === 'existing',
    }));
  return [
    ...tables,
    { id: CLOCK, label: 'the clock', relation: { schema: stateSchema, name: 'clock' }, foreign: false },
  ];
}

/** The tables that models can read, the clock among them. */
export function inputTables(
  deployed: ReadonlyMap<string, DeployedNode>,
  stateSchema: string,
): RelationName[] {
  return inputs(deployed, stateSchema).map(({ relation }) => relation);
}

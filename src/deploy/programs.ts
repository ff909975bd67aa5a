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
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { announceStatement } from '../state/begin-statement.ts';
import { writeInputLocks } from '../state/input-locks.ts';
import { CLOCK } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { isFollowed } from './examine-existing.ts';
import { writePlans } from './plans.ts';
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
  const { rows } = await tx.query<{ input: string; relation: string; checksum: string }>(
    `SELECT input, relation, checksum FROM ${seg}.program`,
  );
  const standing = new Map(rows.map((row) => [row.input, row]));
  for (const { id, label, relation, foreign } of inputs(deployed, stateSchema)) {
    const key = quoteRelation(relation);
    const input = used.get(key);
    if (input === undefined) continue;
    const known = standing.get(id);
    standing.delete(id);
    const plain = emitOptions(relation, { ...request, remedy });
    const emit = foreign ? { ...plain, begin: plain.functionName('begin') } : plain;
    const program = compileInput({ ...input, label }, plans, context);
    const texts = emitProgram(program, emit);
    // Row types are part of what was compiled: another table of the same name means another program.
    const oids = [...program.steps, ...program.beside].map(({ stored }) => stored.oid).join(' ');
    const checksum = createHash('sha256')
      .update([oids, ...texts.map(({ text }) => text)].join('\n'))
      .digest('hex');
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

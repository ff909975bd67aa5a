/** Deployed nodes → the maintenance program and triggers of each input table; only what differs is made again. */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import { compileContext, emitOptions, inputsOf, removeProgram } from '../incremental/install-programs.ts';
import { compileInput } from '../ivm/program/compile-input.ts';
import { emitProgram, emitProgramTriggers } from '../ivm/program/emit-program.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { CLOCK } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { writePlans } from './plans.ts';

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
  const context = compileContext(plans, stateSchema);
  const used = new Map(inputsOf(plans, stateSchema).map((input) => [input.key, input]));
  const { rows } = await tx.query<{ input: string; relation: string; checksum: string }>(
    `SELECT input, relation, checksum FROM ${seg}.program`,
  );
  const standing = new Map(rows.map((row) => [row.input, row]));
  for (const { id, label, relation } of inputs(deployed, stateSchema)) {
    const key = quoteRelation(relation);
    const input = used.get(key);
    if (input === undefined) continue;
    const known = standing.get(id);
    standing.delete(id);
    const emit = emitOptions(relation, { ...request, remedy });
    const program = compileInput({ ...input, label }, plans, context);
    const texts = emitProgram(program, emit);
    // Row types are part of what was compiled: another table of the same name means another program.
    const oids = program.steps.map(({ stored }) => stored.oid).join(' ');
    const checksum = createHash('sha256')
      .update([oids, ...texts.map(({ text }) => text)].join('\n'))
      .digest('hex');
    if (known?.checksum !== checksum) {
      for (const { text } of texts) await tx.exec(text);
      await tx.query(
        `INSERT INTO ${seg}.program (input, function_name, relation, checksum) VALUES ($1, $2, $3, $4)
         ON CONFLICT (input) DO UPDATE SET function_name = excluded.function_name, relation = excluded.relation, checksum = excluded.checksum`,
        [id, emit.functionName('refresh').name, key, checksum],
      );
    }
    if (known === undefined || request.untriggered.has(id)) {
      for (const statement of emitProgramTriggers(relation, emit)) await tx.exec(statement);
    }
  }
  for (const id of standing.keys()) {
    const input = inputs(deployed, stateSchema).find((candidate) => candidate.id === id);
    if (input !== undefined) await removeProgram(tx, input.relation, request);
    await tx.query(`DELETE FROM ${seg}.program WHERE input = $1`, [id]);
  }
}

interface Input {
  readonly id: string;
  readonly label: string;
  readonly relation: { readonly schema: string; readonly name: string };
}

function inputs(deployed: ReadonlyMap<string, DeployedNode>, stateSchema: string): Input[] {
  const tables = [...deployed.values()]
    .filter(({ kind }) => kind === 'source' || kind === 'seed' || kind === 'table')
    .map((node) => ({
      id: node.uniqueId,
      label: node.label,
      relation: { schema: node.schema, name: node.relation },
    }));
  return [...tables, { id: CLOCK, label: 'the clock', relation: { schema: stateSchema, name: 'clock' } }];
}

/** The tables that models can read, the clock among them. */
export function inputTables(
  deployed: ReadonlyMap<string, DeployedNode>,
  stateSchema: string,
): RelationName[] {
  return inputs(deployed, stateSchema).map(({ relation }) => relation);
}

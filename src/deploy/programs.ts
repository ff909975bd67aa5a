/** Deployed nodes → the maintenance program and triggers of each input table; only what differs is made again. */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import { Dag } from '../graph/dag.ts';
import { compileProgram } from '../ivm/program/program.ts';
import type { MaintainedView } from '../ivm/program/program.ts';
import { emitDropTriggers, emitFunction, emitTriggers } from '../ivm/program/emit.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { CLOCK } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { shortName } from './ddl.ts';

export interface ProgramRequest {
  readonly stateSchema: string;
  readonly searchPath: readonly string[];
  readonly deployed: ReadonlyMap<string, DeployedNode>;
  /** Input tables whose triggers are gone although their program may be the same. */
  readonly untriggered: ReadonlySet<string>;
}

/** Every maintained view in topological order, with what it reads seen through plain views. */
export function maintainedViews(
  deployed: ReadonlyMap<string, DeployedNode>,
  stateSchema: string,
): MaintainedView[] {
  const order = new Dag(
    [...deployed.values()].map(({ uniqueId, reads }) => [uniqueId, reads] as const),
  ).order();
  return order.flatMap((id) => {
    const node = deployed.get(id);
    if (node?.kind !== 'materialized_view') return [];
    return [
      {
        id,
        label: node.name,
        stored: {
          table: { schema: stateSchema, name: node.state ?? '' },
          columns: node.columns,
          query: node.definition ?? '',
        },
        reads: readsThroughViews(deployed, id),
        changelog: node.keepChanges
          ? { table: { schema: stateSchema, name: 'changelog' }, node: node.id }
          : null,
      },
    ];
  });
}

function readsThroughViews(deployed: ReadonlyMap<string, DeployedNode>, id: string): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (at: string): void => {
    for (const read of deployed.get(at)?.reads ?? []) {
      if (seen.has(read)) continue;
      seen.add(read);
      if (deployed.get(read)?.kind === 'view') visit(read);
      else found.add(read);
    }
  };
  visit(id);
  return [...found];
}

/** Writes the programs of all inputs that any maintained view depends on, and takes away those of inputs that none does. */
export async function writePrograms(tx: Connection, request: ProgramRequest): Promise<void> {
  const { stateSchema, deployed } = request;
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await tx.query<{ input: string; function_name: string; checksum: string }>(
    `SELECT input, function_name, checksum FROM ${seg}.program`,
  );
  const standing = new Map(rows.map((row) => [row.input, row]));
  const views = maintainedViews(deployed, stateSchema);
  for (const input of inputs(deployed, stateSchema)) {
    const program = compileProgram(input, views);
    const known = standing.get(input.id);
    if (program.steps.length === 0) continue;
    standing.delete(input.id);
    const name = known?.function_name ?? shortName('maintain', input.relation.schema, input.relation.name);
    const functionName = { schema: stateSchema, name };
    const text = emitFunction(program, functionName, { stateSchema, searchPath: request.searchPath });
    const checksum = createHash('sha256').update(text).digest('hex');
    if (known?.checksum !== checksum) {
      await tx.exec(text);
      await tx.query(
        `INSERT INTO ${seg}.program (input, function_name, relation, checksum) VALUES ($1, $2, $3, $4)
         ON CONFLICT (input) DO UPDATE SET checksum = excluded.checksum, relation = excluded.relation`,
        [input.id, name, quoteRelation(input.relation), checksum],
      );
    }
    if (known === undefined || request.untriggered.has(input.id)) {
      for (const statement of emitTriggers(input.relation, functionName)) await tx.exec(statement);
    }
  }
  for (const [id, { function_name: name }] of standing) {
    const input = inputs(deployed, stateSchema).find((candidate) => candidate.id === id);
    if (input !== undefined)
      for (const statement of emitDropTriggers(input.relation)) await tx.exec(statement);
    await tx.exec(`DROP FUNCTION IF EXISTS ${quoteRelation({ schema: stateSchema, name })}() CASCADE`);
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

/** A maintained model for one query, for as long as somebody follows it: `seg subscribe --inline "select ..."`. */
import { randomBytes } from 'node:crypto';
import { Deployer } from '../deploy/deployer.ts';
import { dropNode } from '../deploy/drop.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import type { ModelNode } from '../project/nodes.ts';
import { quoteRelation } from '../sql/quote.ts';
import { readDeployed } from '../state/nodes.ts';

/** What diagnostics call the query. */
export const INLINE_FILE = '<inline>';

export interface InlineModel {
  readonly uniqueId: string;
  drop(): Promise<void>;
}

/**
 * Deploys the query under a name of its own, with a change feed from the start. Who is killed before `drop` leaves it behind;
 * `seg run --prune` takes it away.
 * @throws SegError as a deployment does, SEG715 in a project without models
 */
export async function createInlineModel(db: Connection, project: Project, sql: string): Promise<InlineModel> {
  const node = inlineNode(project, sql);
  const extended = withNode(project, node);
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, extended);
    await deployer.deploy(node);
    await deployer.finish();
  });
  return {
    uniqueId: node.unique_id,
    drop: () =>
      db.transaction(async (tx) => {
        const stateSchema = stateSchemaOf(project);
        const deployed = (await readDeployed(tx, stateSchema)).get(node.unique_id);
        if (deployed === undefined) return;
        await dropNode({ tx, stateSchema }, deployed);
        // It finds that the relation is gone, and makes the programs of its inputs without it.
        await (await Deployer.begin(tx, project)).finish();
      }),
  };
}

function inlineNode(project: Project, sql: string): ModelNode {
  const template = Object.values(project.manifest.nodes).find(
    (node): node is ModelNode => node.resource_type === 'model',
  );
  if (template === undefined) {
    throw segError('SEG715', 'the project has no models, so there is nothing to follow yet', {
      hint: 'Write a model and run "seg run" first.',
    });
  }
  const { text } = project.renderInline(sql, INLINE_FILE);
  const name = `seg_inline_${randomBytes(4).toString('hex')}`;
  const { schema } = project.target;
  return {
    ...template,
    unique_id: `model.${project.name}.${name}`,
    name,
    alias: name,
    schema,
    relation_name: quoteRelation({ schema, name }),
    raw_code: sql,
    compiled_code: text,
    columns: {},
    original_file_path: INLINE_FILE,
    at: { file: INLINE_FILE, line: 1, column: 1 },
    config: {
      ...template.config,
      materialized: 'materialized_view',
      schema: null,
      alias: null,
      unique_key: null,
      changelog: true,
      maintenance: 'auto',
      indexes: null,
    },
  };
}

function withNode(project: Project, node: ModelNode): Project {
  const { map } = project.renderInline(node.raw_code, INLINE_FILE);
  return {
    ...project,
    manifest: { ...project.manifest, nodes: { ...project.manifest.nodes, [node.unique_id]: node } },
    sourceMaps: new Map([...project.sourceMaps, [node.unique_id, map]]),
  };
}

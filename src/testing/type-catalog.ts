/**
 * The columns and types of every relation of a project, without its database: sources from their declarations, seeds from
 * their files, models by preparing their compiled SQL as an empty view in an engine in memory. How a model is
 * materialized does not matter here, so inputs of unit tests may be anything.
 */
import { readSeed } from '../connectors/seeds.ts';
import type { SeedData } from '../connectors/seed-data.ts';
import { placeError } from '../deploy/place-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { GraphNode, ModelNode, RelationNode, SeedNode } from '../project/nodes.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { relationColumns, type RelationColumn, type TypedRelation } from './typed-rows.ts';
import { valuesOf } from '../json/member-order.ts';

/** Ephemeral models have no relation of their own: their prepared view lives here. */
const shadowSchema = '_seg_shadow';

export class TypeCatalog {
  readonly #db: Connection;
  readonly #project: Project;
  readonly #nodes: ReadonlyMap<string, GraphNode>;
  readonly #prepared = new Map<string, Promise<TypedRelation>>();
  readonly #seeds = new Map<string, Promise<SeedData>>();

  constructor(db: Connection, project: Project) {
    this.#db = db;
    this.#project = project;
    this.#nodes = allNodes(project.manifest);
  }

  seedData(node: SeedNode): Promise<SeedData> {
    let data = this.#seeds.get(node.unique_id);
    if (data === undefined) {
      data = readSeed(node, this.#project.root);
      this.#seeds.set(node.unique_id, data);
    }
    return data;
  }

  /**
   * The empty relation of a node, made with those it reads when asked for the first time.
   * @throws SegError when a compiled model is refused by the engine
   */
  relation(id: string): Promise<TypedRelation> {
    let relation = this.#prepared.get(id);
    if (relation === undefined) {
      relation = this.#prepare(id);
      this.#prepared.set(id, relation);
    }
    return relation;
  }

  async #prepare(id: string): Promise<TypedRelation> {
    const node = this.#nodes.get(id);
    if (node === undefined || !isRelation(node)) throw new Error(`invariant: ${id} is no relation`);
    const place = placeOf(node);
    const sql = quoteRelation(place);
    const title = `${node.resource_type} "${node.name}"`;
    await this.#db.exec(`create schema if not exists ${quoteIdentifier(place.schema)}`);
    if (node.resource_type === 'model') await this.#prepareModel(node, sql, title);
    else {
      const columns = node.resource_type === 'seed' ? (await this.seedData(node)).columns : declared(node);
      const list = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
      await this.#db.exec(`create table ${sql} (${list.join(', ')})`);
    }
    return { sql, title, columns: await relationColumns(this.#db, sql) };
  }

  async #prepareModel(node: ModelNode, sql: string, title: string): Promise<void> {
    for (const parent of node.depends_on.nodes) {
      if (this.#nodes.has(parent)) await this.relation(parent);
    }
    const query = node.compiled_code ?? '';
    const before = `create view ${sql} as\n`;
    const statement = `${before}${query}`;
    try {
      // A savepoint or transaction of its own: a refused model must not take the others down.
      await this.#db.transaction((tx) => tx.query(statement));
    } catch (error) {
      const sourceMap = this.#project.sourceMaps.get(node.unique_id) ?? null;
      const sent = { queryOffset: before.length, queryLength: query.length, sourceMap, at: node.at };
      throw placeError(error, { label: title, statement, ...sent });
    }
  }
}

function isRelation(node: GraphNode): node is RelationNode {
  return node.resource_type === 'model' || node.resource_type === 'seed' || node.resource_type === 'source';
}

function placeOf(node: RelationNode): { schema: string; name: string } {
  if (node.resource_type === 'source') return { schema: node.schema, name: node.identifier };
  if (node.relation_name === null) return { schema: shadowSchema, name: node.unique_id };
  return { schema: node.schema, name: node.alias };
}

function declared(node: Exclude<RelationNode, ModelNode>): RelationColumn[] {
  return valuesOf(node.columns).map(({ name, data_type, generated }) => ({
    name,
    type:
      data_type ??
      (generated === 'position' ? 'bigint' : generated === 'received_at' ? 'timestamptz' : 'text'),
  }));
}

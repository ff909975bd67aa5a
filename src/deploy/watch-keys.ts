/**
 * A `unique_key` that does not follow from the plan is watched as rows change: triggers on the table that holds the model's
 * rows look up the changed keys, by an index on their hash, and note those that several rows have. A key that the plan
 * proves costs nothing. A writer never fails because of a key.
 */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import type { StoredPlan } from '../incremental/stored-plan.ts';
import { rowAsText } from '../ivm/strategies/recompute.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { forgetDuplicates, KEY_WATCHED } from '../state/duplicate-keys.ts';
import type { DeployedColumn, DeployedNode } from '../state/nodes.ts';
import { keyOf } from './plans.ts';

interface WatchRequest {
  readonly stateSchema: string;
  readonly deployed: ReadonlyMap<string, DeployedNode>;
}

/** Whether the plan proves that no two rows have the same key. */
function isProven(node: DeployedNode, plan: StoredPlan | undefined): boolean {
  const keys = plan?.stages.at(-1)?.stage.keys ?? [];
  return keys.some((key) => key.every((name) => node.key.includes(name)));
}

/** Begins to watch the keys that need it, and ends it for the others. */
export async function watchKeys(
  tx: Connection,
  plans: readonly StoredPlan[],
  { stateSchema, deployed }: WatchRequest,
): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await tx.query<{ node: number; checksum: string; name: string }>(
    `SELECT node, checksum, function_name AS name FROM ${seg}.watched_key`,
  );
  const standing = new Map(rows.map((row) => [row.node, row]));
  const byKey = new Map(plans.map((plan) => [plan.key, plan]));
  const watched = [...deployed.values()].filter(
    (node) =>
      node.kind === 'materialized_view' && node.key.length > 0 && !isProven(node, byKey.get(keyOf(node))),
  );
  for (const node of watched) {
    const oid = byKey.get(keyOf(node))!.stages.at(-1)!.oid;
    const watch = new Watch(stateSchema, node);
    const checksum = createHash('sha256')
      .update(`${oid} ${watch.statements.join('\n')}`)
      .digest('hex');
    const known = standing.get(node.id);
    standing.delete(node.id);
    if (known?.checksum === checksum) continue;
    if (known !== undefined) await end(tx, seg, known);
    for (const statement of watch.statements) await tx.exec(statement);
    await tx.query(`INSERT INTO ${seg}.watched_key (node, checksum, function_name) VALUES ($1, $2, $3)`, [
      node.id,
      checksum,
      watch.function,
    ]);
  }
  for (const known of standing.values()) await end(tx, seg, known);
  await forgetDuplicates(tx, stateSchema);
  await tx.query(
    `UPDATE ${seg}.node AS n SET settings = n.settings - $1::text
       || CASE WHEN w.node IS NULL THEN '{}'::jsonb ELSE jsonb_build_object($1::text, true) END
     FROM ${seg}.node AS o LEFT JOIN ${seg}.watched_key AS w ON w.node = o.id
     WHERE n.id = o.id AND (n.settings ? $1::text) <> (w.node IS NOT NULL)`,
    [KEY_WATCHED],
  );
}

async function end(tx: Connection, seg: string, known: { node: number; name: string }): Promise<void> {
  // The triggers go with it.
  await tx.exec(`DROP FUNCTION IF EXISTS ${seg}.${quoteIdentifier(known.name)}() CASCADE`);
  await tx.query(`DELETE FROM ${seg}.watched_key WHERE node = $1`, [known.node]);
  await tx.query(
    `UPDATE ${seg}.duplicate_key SET until = (SELECT epoch FROM ${seg}.epoch) WHERE node = $1 AND until IS NULL`,
    [known.node],
  );
}

class Watch {
  /** The trigger's function, in the state schema. */
  readonly function: string;
  readonly statements: readonly string[];
  readonly #seg: string;
  readonly #node: DeployedNode;
  readonly #table: string;
  readonly #columns: readonly DeployedColumn[];

  constructor(stateSchema: string, node: DeployedNode) {
    this.#seg = quoteIdentifier(stateSchema);
    this.#node = node;
    this.#table = quoteRelation({ schema: stateSchema, name: node.state ?? '' });
    this.#columns = node.key.map((name) => node.columns.find((column) => column.name === name)!);
    this.function = shortName('key of', node.state ?? '');
    const called = `${this.#seg}.${quoteIdentifier(this.function)}`;
    const on = (event: string, tables: string): string =>
      `CREATE TRIGGER ${quoteIdentifier(`seg_key_${event.toLowerCase()}`)} AFTER ${event} ON ${this.#table} ${tables} FOR EACH STATEMENT EXECUTE FUNCTION ${called}()`;
    const index = quoteIdentifier(shortName('seg key', node.state ?? ''));
    this.statements = [
      `DROP INDEX IF EXISTS ${this.#seg}.${index}`,
      `CREATE INDEX ${index} ON ${this.#table} (${this.#hash()})`,
      `CREATE OR REPLACE FUNCTION ${called}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_bitmapscan = off
SET enable_seqscan = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS ${quoteLiteral(this.#body())}`,
      on('INSERT', 'REFERENCING NEW TABLE AS seg_come'),
      on('UPDATE', 'REFERENCING OLD TABLE AS seg_gone NEW TABLE AS seg_come'),
      on('DELETE', 'REFERENCING OLD TABLE AS seg_gone'),
      on('TRUNCATE', ''),
      this.#note(
        `SELECT (array_agg(${rowAsText({ columns: this.#columns }, 't')}))[1] AS key, ${this.#hash('t')} AS hash
     FROM ${this.#table} AS t GROUP BY ${this.#hash('t')}, ${this.#values('t')} HAVING count(*) > 1`,
      ),
    ];
  }

  #values(alias?: string): string {
    const prefix = alias === undefined ? '' : `${alias}.`;
    return this.#columns
      .map(({ name, hashable }) => `${prefix}${quoteIdentifier(name)}${hashable ? '' : '::text'}`)
      .join(', ');
  }

  #hash(alias?: string): string {
    return `hash_record_extended(ROW(${this.#values(alias)}), 0)`;
  }

  /** @param found SQL of `key` and `hash` of what is in several rows */
  #note(found: string): string {
    return `INSERT INTO ${this.#seg}.duplicate_key (node, hash, key, since)
  SELECT ${this.#node.id}, f.hash, f.key, (SELECT epoch FROM ${this.#seg}.epoch) FROM (${found}) AS f
  ON CONFLICT (node, hash) WHERE until IS NULL DO NOTHING`;
  }

  /** How many rows of the table have the key of `of`, counted up to two. */
  #copies(of: string, condition: string): string {
    return `(SELECT count(*) FROM (SELECT FROM ${this.#table} AS t WHERE ${this.#hash('t')} = ${of}${condition} LIMIT 2) AS two)`;
  }

  #body(): string {
    const open = `SELECT FROM ${this.#seg}.duplicate_key AS d WHERE d.node = ${this.#node.id} AND d.until IS NULL`;
    const same = ` AND record_eq(ROW(${this.#values('t')}), ROW(${this.#values('n')}))`;
    const over = (condition: string): string => `    UPDATE ${this.#seg}.duplicate_key AS d
    SET until = (SELECT epoch FROM ${this.#seg}.epoch)
    WHERE d.node = ${this.#node.id} AND d.until IS NULL${condition};
    DELETE FROM ${this.#seg}.duplicate_key AS d WHERE d.node = ${this.#node.id} AND d.until ${
      this.#node.keepChanges ? '= d.since' : 'IS NOT NULL'
    };`;
    return `
BEGIN
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    ${this.#note(
      `SELECT ${rowAsText({ columns: this.#columns }, 'n')} AS key, ${this.#hash('n')} AS hash
    FROM seg_come AS n WHERE ${this.#copies(this.#hash('n'), same)} > 1`,
    )};
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
${over('')}
  ELSIF TG_OP <> 'INSERT' AND EXISTS (${open}) THEN
${over(` AND d.hash IN (SELECT ${this.#hash('o')} FROM seg_gone AS o) AND ${this.#copies('d.hash', '')} < 2`)}
  END IF;
  RETURN NULL;
END;
`;
  }
}

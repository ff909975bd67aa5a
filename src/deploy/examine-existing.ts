/** A table that somebody else made, as a source: what the catalog says of it, and whether seg can read and follow it. */
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { Connection } from '../engines/connection.ts';
import { triggersOf } from '../incremental/install-programs.ts';
import { familySql } from '../sql/family.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { familyFires, unwatchedFamily } from '../state/followed-tables.ts';
import type { DeployedColumn, DeployedNode } from '../state/nodes.ts';
import { probeColumns } from './build-table.ts';
import { readColumns, sameColumns } from './catalog.ts';
import type { NodeSpec } from './spec.ts';

export interface ExistingTable {
  /** The table's oid: another one under the same name is another table. */
  readonly oid: string;
  readonly columns: readonly DeployedColumn[];
}

interface Facts {
  readonly oid: string;
  readonly relkind: string;
  /** Tables below or above it that cannot be followed, by name. */
  readonly strange: string | null;
  /** Those on which the session may not create triggers. */
  readonly closed: readonly string[];
  readonly unlogged: boolean;
  readonly system: boolean;
  /** Row-level security keeps rows from this session. */
  readonly hidden: boolean;
  readonly subscribed: boolean;
  readonly usage: boolean;
  readonly select: boolean;
  readonly trigger: boolean;
  readonly lock: boolean;
  readonly owned: boolean;
  readonly owner: string;
  readonly session: string;
  readonly version: number;
}

/** Whether a source lets seg put its triggers on the table; without them nothing can be maintained on it. */
export function isFollowed(node: Pick<DeployedNode, 'kind' | 'settings'>): boolean {
  return node.kind === 'existing' && installs(node, 'triggers');
}

export function installs({ settings }: Pick<DeployedNode, 'settings'>, what: string): boolean {
  const { install } = settings;
  return Array.isArray(install) && install.includes(what);
}

/**
 * @param spec of kind `existing`
 * @throws SegError SEG435 when it is not there, SEG436 for what cannot be followed, SEG840 when a privilege is missing
 */
export async function examineExisting(
  tx: Connection,
  spec: NodeSpec,
  stateSchema: string,
): Promise<ExistingTable> {
  const relation = { schema: spec.schema, name: spec.relation };
  const facts = await factsOf(tx, spec, stateSchema);
  if (facts === undefined) throw await notThere(tx, spec);
  requirePrivileges(spec, facts);
  if (installs(spec, 'triggers')) {
    refuseWhatCannotBeFollowed(spec, facts);
    if ((await unwatchedFamily(tx, stateSchema, [relation])) !== undefined)
      throw cannotBeFollowed(spec, [
        `has partitions, parents or children, and user "${facts.session}" may not create the event trigger that follows them`,
        'Let a superuser run seg once in this database: the event trigger stays.',
      ]);
  }
  return { oid: facts.oid, columns: await readColumns(tx, relation) };
}

/** Whether the table is the one that was deployed, with the same columns, and its triggers stand and fire. */
export async function isAsDeployed(
  tx: Connection,
  deployed: DeployedNode,
  table: ExistingTable,
  stateSchema: string,
): Promise<boolean> {
  if (deployed.settings['oid'] !== table.oid || !sameColumns(deployed.columns, table.columns)) return false;
  return triggersFire(tx, deployed, stateSchema);
}

/** Somebody may have dropped or disabled them; where no model needs any, there are none. */
export async function triggersFire(
  tx: Connection,
  deployed: DeployedNode,
  stateSchema: string,
): Promise<boolean> {
  const { rows } = await tx.query<{ wanted: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteIdentifier(stateSchema)}.program WHERE input = $1) AS wanted`,
    [deployed.uniqueId],
  );
  if (rows[0]?.wanted !== true) return true;
  const relation = { schema: deployed.schema, name: deployed.relation };
  const standing = await triggersOf(tx, relation, stateSchema);
  const own = standing.length === TRIGGERS && standing.every(({ fires }) => fires);
  return own && (await familyFires(tx, stateSchema, relation));
}

/** Before and after each of INSERT, UPDATE, DELETE and TRUNCATE. */
const TRIGGERS = 8;

async function factsOf(tx: Connection, spec: NodeSpec, stateSchema: string): Promise<Facts | undefined> {
  const { rows } = await tx.query<Facts>(
    `SELECT c.oid::text AS oid, c.relkind::text AS relkind, f.strange, coalesce(f.closed, '[]') AS closed,
            c.relpersistence <> 'p' AS unlogged,
            n.nspname ~ '^pg_' OR n.nspname IN ('information_schema', $3) AS system,
            row_security_active(c.oid) AS hidden,
            EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = c.oid) OR coalesce(f.subscribed, false) AS subscribed,
            has_schema_privilege(n.oid, 'USAGE') AS usage,
            has_table_privilege(c.oid, 'SELECT') AS "select",
            has_table_privilege(c.oid, 'TRIGGER') AS "trigger",
            has_table_privilege(c.oid, CASE WHEN v.number >= 170000 THEN 'UPDATE, DELETE, TRUNCATE, MAINTAIN' ELSE 'UPDATE, DELETE, TRUNCATE' END) AS lock,
            pg_has_role(c.relowner, 'USAGE') AS owned, pg_get_userbyid(c.relowner)::text AS owner,
            current_user::text AS session, v.number AS version
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
       (SELECT current_setting('server_version_num')::integer AS number) AS v,
       LATERAL (
         SELECT min(m.oid::regclass::text) FILTER (WHERE m.relkind NOT IN ('r', 'p') OR m.relpersistence <> 'p') AS strange,
                jsonb_agg(m.oid::regclass::text) FILTER (WHERE NOT has_table_privilege(m.oid, 'TRIGGER')) AS closed,
                bool_or(EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = m.oid)) AS subscribed
         FROM ${familySql('c.oid')} AS x JOIN pg_class AS m ON m.oid = x.relation) AS f
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [spec.schema, spec.relation, stateSchema],
  );
  return rows[0];
}

async function notThere(tx: Connection, spec: NodeSpec): Promise<Error> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [spec.schema],
  );
  return segError(
    'SEG435',
    `${spec.label} is declared as existing, but there is no "${spec.schema}.${spec.relation}"`,
    {
      at: spec.at,
      hint:
        didYouMean(
          spec.relation,
          rows.map(({ name }) => name),
        ) ??
        'Mend "schema" and "identifier" of the source, or leave "existing" out: then seg makes the table.',
      exitCode: 1,
    },
  );
}

/** One message with all that is missing, so that its owner has to be asked once. */
function requirePrivileges(spec: NodeSpec, facts: Facts): void {
  const table = quoteRelation({ schema: spec.schema, name: spec.relation });
  const role = quoteIdentifier(facts.session);
  const followed = installs(spec, 'triggers');
  const rights = [
    ...(facts.select ? [] : ['SELECT']),
    ...(followed && !facts.trigger ? ['TRIGGER'] : []),
    // LOCK TABLE keeps writers out while a view is filled; to read a table is not enough for it.
    ...(followed && !facts.lock ? [facts.version >= 170000 ? 'MAINTAIN' : 'UPDATE'] : []),
  ];
  const closed = followed ? facts.closed : [];
  const grants = [
    ...(facts.usage ? [] : [`GRANT USAGE ON SCHEMA ${quoteIdentifier(spec.schema)} TO ${role};`]),
    ...(rights.length === 0 ? [] : [`GRANT ${rights.join(', ')} ON ${table} TO ${role};`]),
    ...(closed.length === 0 ? [] : [`GRANT TRIGGER ON ${closed.join(', ')} TO ${role};`]),
    ...(installs(spec, 'indexes') && !facts.owned
      ? [`GRANT ${quoteIdentifier(facts.owner)} TO ${role};`]
      : []),
  ];
  if (grants.length === 0) return;
  const lacking = [
    ...(facts.usage ? [] : ['USAGE on the schema']),
    ...rights,
    ...(closed.length === 0 ? [] : [`TRIGGER on ${closed.join(', ')}`]),
    ...(installs(spec, 'indexes') && !facts.owned ? ['ownership, which indexes need'] : []),
  ];
  throw segError(
    'SEG840',
    `${spec.label}: user "${facts.session}" lacks ${lacking.join(', ')} on ${table}, which belongs to "${facts.owner}"`,
    {
      at: spec.at,
      hint: `Let its owner run: ${grants.join(' ')}${rights.includes('UPDATE') ? ' (UPDATE is for LOCK TABLE; seg writes nothing there.)' : ''}`,
      exitCode: 1,
    },
  );
}

function refuseWhatCannotBeFollowed(spec: NodeSpec, facts: Facts): void {
  const found = unfollowable(facts);
  if (found === undefined) return;
  throw cannotBeFollowed(spec, found);
}

function cannotBeFollowed(spec: NodeSpec, found: readonly [problem: string, remedy: string]): Error {
  const name = `"${spec.schema}.${spec.relation}"`;
  return segError('SEG436', `${spec.label} cannot be followed by triggers: ${name} ${found[0]}`, {
    at: spec.at,
    hint: `${found[1]} Models materialized as "view" or "table" can read it without "install".`,
    exitCode: 1,
  });
}

/** What is the matter, and what to do about it. */
function unfollowable(facts: Facts): readonly [problem: string, remedy: string] | undefined {
  if (facts.system) return ['belongs to the system', 'Declare a table of your own.'];
  switch (facts.relkind) {
    case 'v':
      return [
        'is a view',
        'Declare the tables that it reads as sources, and write its query as a model: then that is maintained too.',
      ];
    case 'm':
      return [
        'is a materialized view, which changes without triggers',
        'Declare the tables that it reads as sources, and write its query as a model.',
      ];
    case 'f':
      return [
        'is a foreign table, which changes elsewhere',
        "Run seg where the table is, or ingest its rows into a source of seg's own.",
      ];
  }
  if (facts.strange !== null)
    return [
      `has partitions, parents or children of which one, ${facts.strange}, is foreign, unlogged or temporary`,
      'Take that one out (DETACH PARTITION, NO INHERIT), or copy its rows into an ordinary table and declare that.',
    ];
  if (facts.unlogged)
    return [
      'is unlogged or temporary: after a crash it is empty, and what was computed from it is not',
      'ALTER TABLE ... SET LOGGED.',
    ];
  if (facts.subscribed)
    return [
      'is filled by a subscription, whose changes fire no statement triggers',
      "Run seg on the publishing server, or ingest the rows into a source of seg's own.",
    ];
  if (facts.hidden)
    return [
      `has row-level security, which hides rows from user "${facts.session}"`,
      `Let a superuser run: ALTER ROLE ${quoteIdentifier(facts.session)} BYPASSRLS; or connect as the table's owner.`,
    ];
  return undefined;
}

/**
 * Declared columns must be there, with the declared types; others may be there too.
 * @throws SegError SEG437 for one that is not, and as `probeColumns` does
 */
export async function requireColumns(
  tx: Connection,
  spec: NodeSpec,
  columns: readonly DeployedColumn[],
  stateSchema: string,
): Promise<void> {
  const names = columns.map(({ name }) => name);
  const label = `${spec.label} declares`;
  const wrong = (what: string, hint: string): Error =>
    segError('SEG437', `${label} ${what}`, { at: spec.at, hint, exitCode: 1 });
  const wanted = [...spec.declared.map(({ name }) => name), ...spec.key];
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined)
    throw wrong(
      `column "${missing}", which "${spec.schema}.${spec.relation}" does not have`,
      didYouMean(missing, names) ?? `Its columns: ${names.join(', ')}.`,
    );
  const typed = spec.declared.filter(({ typed }) => typed !== false);
  if (typed.length === 0) return;
  const declared = await probeColumns(tx, { ...spec, declared: typed }, stateSchema);
  for (const { name, type } of declared) {
    const real = columns.find((column) => column.name === name)!;
    if (real.type === type) continue;
    throw wrong(
      `column "${name}" as ${type}, and in "${spec.schema}.${spec.relation}" it is ${real.type}`,
      `Write data_type: ${real.type}, or leave it out.`,
    );
  }
}

/** What a deployment has to do with one node: nothing, alter what stands, or make it (anew). */
import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteRelation } from '../sql/quote.ts';
import { samePrints } from './connectors/secret-print.ts';
import { secretToken, withSecrets } from './connectors/settings.ts';
import { relationKey } from './desired-node.ts';
import type { DesiredNode } from './desired-node.ts';
import type { Dialect, ObjectKind } from './dialect.ts';
import type { StoredNode } from './stored-node.ts';

export type Judgement =
  | { readonly action: 'same' | 'make' }
  | {
      readonly action: 'alter';
      readonly statements: readonly string[];
      /** Its columns are more than they were: who reads it with SELECT * must be made again. */
      readonly grows: boolean;
    };

const same: Judgement = { action: 'same' };
const make: Judgement = { action: 'make' };

/**
 * @param standing what stands where the node should, if anything
 * @throws SegError SEG410 when something that seg did not make stands there, SEG412 when rows that cannot be had again would be lost
 */
export async function judge(
  db: Connection,
  dialect: Dialect,
  node: DesiredNode,
  old: StoredNode | undefined,
  standing: ObjectKind | 'other' | undefined,
  fullRefresh: boolean,
): Promise<Judgement> {
  if (old === undefined || relationKey(old.relation) !== relationKey(node.relation)) {
    if (standing === undefined) return make;
    throw segError(
      'SEG410',
      `${node.label} cannot be created: there is a ${standing.replace('_', ' ')} "${node.relation.schema}.${node.relation.name}" that seg did not make`,
      { at: node.at, hint: 'Drop or rename it, or give the node another alias or schema.', exitCode: 1 },
    );
  }
  const unchanged = old.fingerprint === node.fingerprint;
  const filledBySeg = old.kind === 'table' && old.connector === undefined;
  if (node.connector !== undefined || !filledBySeg || node.kind !== 'table') {
    if (unchanged && samePrints(node.secrets, old.prints))
      return fullRefresh && isView(node.kind) ? make : same;
    const altered = old.fingerprint === '' ? undefined : alterations(dialect, node, old);
    if (altered !== undefined) return { action: 'alter', statements: altered, grows: false };
    const lasting = old.fingerprint !== '' && (filledBySeg || old.connector?.lasting === true);
    if (!lasting || !(await hasRows(db, old))) return make;
    throw rowsWouldGo(node, ['what fills it is another one now']);
  }
  if (unchanged) return same;
  if (old.fingerprint === '' || !(await hasRows(db, old))) return make;
  const problems = columnProblems(dialect, node, old);
  if (problems.length > 0) throw rowsWouldGo(node, problems);
  const known = new Set(old.columns.map(({ name }) => name));
  const added = node.columns.filter(({ name }) => !known.has(name));
  return {
    action: 'alter',
    statements: added.map((column) => dialect.addColumn(node.relation, column)),
    grows: true,
  };
}

function isView(kind: ObjectKind): boolean {
  return kind === 'view' || kind === 'materialized_view';
}

async function hasRows(db: Connection, { relation }: StoredNode): Promise<boolean> {
  const { rows } = await db.query(`SELECT 1 AS one FROM ${quoteRelation(relation)} LIMIT 1`);
  return rows.length > 0;
}

function columnProblems(dialect: Dialect, node: DesiredNode, old: StoredNode): string[] {
  const before = new Map(old.columns.map(({ name, type }) => [name, dialect.columnType(type)]));
  const after = new Map(node.columns.map(({ name, type }) => [name, dialect.columnType(type)]));
  return [
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `column "${name}" is gone`),
    ...[...after]
      .filter(([name, type]) => before.has(name) && before.get(name) !== type)
      .map(([name, type]) => `column "${name}" was ${before.get(name)} and is now ${type}`),
    ...(old.key.join() === node.key.join() && old.onConflict === node.onConflict ? [] : ['the key changed']),
    ...(dialect.engine === 'materialize' && node.key.length > 0 && after.size > before.size
      ? ['a keyed table of Materialize cannot grow columns']
      : []),
  ];
}

function rowsWouldGo(node: DesiredNode, problems: readonly string[]): SegError {
  return segError(
    'SEG412',
    `${node.label} has rows, and its table cannot follow its declaration: ${problems.join('; ')}`,
    {
      at: node.at,
      hint: 'Rows that have come in are not thrown away. Declare a new source, or drop the table by hand.',
      exitCode: 1,
    },
  );
}

/** How what stands becomes what is wanted, when only options and secrets differ; undefined when it must be made anew. */
function alterations(dialect: Dialect, node: DesiredNode, old: StoredNode): string[] | undefined {
  const { connector: now, secrets } = node;
  const { connector: before, prints } = old;
  if (now === undefined || before === undefined || node.kind !== old.kind) return undefined;
  if (now.before !== before.before || now.after !== before.after) return undefined;
  const renewed = [...(secrets ?? [])].flatMap(([name, value]) =>
    samePrints(new Map([[name, value]]), pick(prints, name)) ? [] : [secretToken(name)],
  );
  const isRenewed = (sql: string): boolean => renewed.some((token) => sql.includes(token));
  if (node.kind === 'secret') {
    const statement = dialect.alterSecret(node.relation, withSecrets(now.before, secrets));
    return statement === null ? undefined : [statement];
  }
  if (isRenewed(now.before + now.after)) return undefined;
  const set = Object.fromEntries(
    Object.entries(now.options)
      .filter(([name, sql]) => before.options[name] !== sql || isRenewed(sql))
      .map(([name, sql]) => [name, withSecrets(sql, secrets)]),
  );
  const reset = Object.keys(before.options).filter((name) => !Object.hasOwn(now.options, name));
  return dialect.alterConnector(node.kind, node.relation, { set, reset }) ?? undefined;
}

function pick(prints: StoredNode['prints'], name: string): Record<string, string> {
  const found = prints?.[name];
  return found === undefined ? {} : { [name]: found };
}

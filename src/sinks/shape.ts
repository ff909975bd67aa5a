/**
 * What a sink's records are made of, as SQL: which rows (where), which fields (columns, mapping), what identifies a
 * record (primary_key), and which records must keep their order among each other.
 */
import { createHash } from 'node:crypto';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { SinkNode } from '../project/nodes.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { isWatched } from '../state/duplicate-keys.ts';
import { readDeployedNode } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { Sink } from './sink.ts';
import { entriesOf } from '../json/member-order.ts';
import { jsonObject, rowOfObject } from '../sql/row-json.ts';

export interface Field {
  readonly name: string;
  /** As format_type prints it. */
  readonly type: string;
}

export interface Shape {
  readonly from: DeployedNode;
  /** The fields of a record, in order. */
  readonly fields: readonly Field[];
  /** Fields that identify a record; empty when nothing does. */
  readonly key: readonly string[];
  /** Whether the key tells records apart: `proven`, or `watched` in the model, or nothing is known of it. */
  readonly uniqueness: 'proven' | 'watched' | 'unknown';
  /** The column of a source that tells the order of arrival; null for feeds of changes. */
  readonly position: string | null;
  /** SQL of one record (jsonb) over the JSON text of a model's row, `null` where `where` leaves it out. */
  readonly record: (row: string) => string;
  /** SQL of a record's key (text) over its JSON; null when there is none. */
  readonly keyOf: ((record: string) => string) | null;
  /** SQL of a record's lane (text) over its JSON; null = its key. */
  readonly laneOf: ((record: string) => string) | null;
  /** Changes when records of the same rows may come out different. */
  readonly fingerprint: string;
}

/**
 * @throws SegError SEG721 when what is read is not deployed, SEG722 for an unknown column, SEG723 for SQL that the database
 *   refuses, SEG724 when the mode needs a key and there is none
 */
export async function shapeOf(db: Connection, sink: Sink): Promise<Shape> {
  const { node, stateSchema } = sink;
  const from = await readDeployedNode(db, stateSchema, node.from);
  if (from === undefined || (from.kind !== 'materialized_view' && from.kind !== 'source')) {
    throw segError(
      'SEG721',
      `sink "${sink.name}" reads "${node.from.split('.').at(-1)}", which is not deployed`,
      {
        at: node.at,
        hint: 'Run "seg build" first.',
        exitCode: 1,
      },
    );
  }
  const columns = from.columns.map(({ name }) => name);
  const check = (names: readonly string[], known: readonly string[], where: string): void => {
    for (const name of names) {
      if (known.includes(name)) continue;
      throw segError('SEG722', `unknown ${where} "${name}" of sink "${sink.name}"`, {
        at: node.at,
        hint: didYouMean(name, known) ?? `There are ${known.join(', ')}.`,
      });
    }
  };
  if (node.columns !== null) check(node.columns, columns, 'column');
  const fields = await describeFields(db, sink, from);
  const names = fields.map(({ name }) => name);
  const key = node.primary_key ?? fieldsOfKey(node, from, names);
  if (node.primary_key !== null) check(node.primary_key, names, 'field of primary_key');
  const group = node.settings['group_by'] ?? null;
  const by =
    group !== null && typeof group === 'object' && !Array.isArray(group) ? group['column'] : undefined;
  if (typeof by === 'string') check([by], names, 'field of group_by');
  if (key.length === 0 && node.mode !== 'changes' && node.mode !== 'insert_only') {
    throw segError('SEG724', `sink "${sink.name}" works in mode "${node.mode}" but its records have no key`, {
      at: node.at,
      hint: `Set "primary_key:" to fields of the record (${names.join(', ')}), or "unique_key" on the model.`,
    });
  }
  const modelKey = fieldsOfKey(node, from, names);
  const hasModelKey = modelKey.length > 0 && modelKey.every((field) => key.includes(field));
  const isModelKey = hasModelKey && key.length === modelKey.length;
  const item = (record: string, field: string): string => `${record} -> ${quoteLiteral(field)}`;
  const types = new Map(fields.map(({ name, type }) => [name, type]));
  // Minus zero is no other key than zero.
  const part = (record: string, field: string): string =>
    /^(real|double precision)$/.test(types.get(field)!)
      ? `CASE ${item(record, field)} WHEN '0' THEN '0' ELSE ${item(record, field)} END`
      : item(record, field);
  return {
    from,
    fields,
    key,
    // What `where` leaves out need not be told apart.
    uniqueness:
      hasModelKey && !isWatched(from) ? 'proven' : isModelKey && node.where === null ? 'watched' : 'unknown',
    position: from.kind === 'source' ? sink.position : null,
    record: recordSql(node, from, fields),
    keyOf:
      key.length === 0
        ? null
        : (record) => `jsonb_build_array(${key.map((field) => part(record, field)).join(', ')})::text`,
    laneOf: typeof by === 'string' ? (record) => `coalesce((${item(record, by)})::text, '')` : null,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([node.columns, node.mapping, node.where, node.on_delete, key, node.mode, names]))
      .digest('hex')
      .slice(0, 32),
  };
}

/** The model's key where the records carry it, under whatever name. */
function fieldsOfKey(node: SinkNode, from: DeployedNode, names: readonly string[]): string[] {
  const found = from.key.map((column) =>
    node.mapping === null
      ? names.find((name) => name === column)
      : entriesOf(node.mapping).find(([, sql]) => isColumn(sql, column))?.[0],
  );
  return found.includes(undefined) ? [] : (found as string[]);
}

function isColumn(sql: string, column: string): boolean {
  return sql.trim() === column || sql.trim() === quoteIdentifier(column);
}

function expressions(node: SinkNode, from: DeployedNode): [string, string][] {
  if (node.mapping !== null) return entriesOf(node.mapping).map(([field, sql]) => [field, `(${sql}\n)`]);
  return (node.columns ?? from.columns.map(({ name }) => name)).map((name) => [
    name,
    `"_seg_r".${quoteIdentifier(name)}`,
  ]);
}

function relationOf(from: DeployedNode): string {
  return quoteRelation({ schema: from.schema, name: from.relation });
}

/** Asks the database what the fields are: unknown columns and other mistakes of `mapping` and `where` come out here. */
async function describeFields(db: Connection, sink: Sink, from: DeployedNode): Promise<Field[]> {
  const { node } = sink;
  const parts: [string, string][] = [
    ...expressions(node, from).map(([field, sql]): [string, string] => [`field "${field}"`, sql]),
    ...(node.where === null ? [] : [['where', `(${node.where}\n)::boolean`] as [string, string]]),
  ];
  const list = (some: readonly [string, string][]): string =>
    some.map(([, sql], index) => `${sql} AS "_${index}"`).join(', ');
  const ask = (some: readonly [string, string][]) =>
    db.query(`SELECT ${list(some)} FROM ${relationOf(from)} AS "_seg_r" LIMIT 0`);
  let types: number[];
  try {
    types = (await ask(parts)).fields.map(({ typeOid }) => typeOid);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    for (const part of parts) {
      await ask([part]).catch((reason: unknown) => {
        if (!(reason instanceof DatabaseError)) throw reason;
        throw segError('SEG723', `${part[0]} of sink "${sink.name}": ${reason.message}`, {
          at: node.at,
          hint:
            reason.hint ??
            `The columns of ${from.label}: ${from.columns.map(({ name }) => name).join(', ')}.`,
        });
      });
    }
    throw error;
  }
  const named = await db.query<{ type: string }>(
    `SELECT format_type(t.oid::oid, NULL) AS type FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS t (oid, n) ORDER BY n`,
    [JSON.stringify(types)],
  );
  return expressions(node, from).map(([name], index) => ({ name, type: named.rows[index]!.type }));
}

/**
 * Rows come as JSON (from the changelog, or made of a row of the relation). They become rows of the relation again only
 * where SQL of the user needs it; otherwise the fields are picked from the JSON.
 */
function recordSql(node: SinkNode, from: DeployedNode, fields: readonly Field[]): (row: string) => string {
  if (node.mapping === null && node.where === null) {
    if (node.columns === null) return (row) => row;
    return (row) =>
      jsonObject(
        fields.map(({ name }) => ({ name, value: `${row} -> ${quoteLiteral(name)}`, type: undefined })),
      );
  }
  const made = jsonObject(
    expressions(node, from).map(([name, value], index) => ({ name, value, type: fields[index]!.type })),
  );
  const where = node.where === null ? '' : ` WHERE (${node.where}\n)`;
  return (row) =>
    `(SELECT ${made} FROM ${rowOfObject(relationOf(from), row, from.columns)} AS "_seg_r"${where})`;
}

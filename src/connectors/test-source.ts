/** For the tests of this folder: sources without a project, and their tables as deploy makes them. */
import type { JsonValue } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import type { ColumnInfo, SeedNode, SourceNode } from '../project/nodes.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { valuesOf } from '../json/member-order.ts';

type TestColumn = Partial<ColumnInfo> & { name: string; data_type: string };

export function columnsOf(columns: readonly TestColumn[]): Record<string, ColumnInfo> {
  const infos = columns.map((column) => ({ description: '', meta: {}, tags: [], quote: null, ...column }));
  return Object.fromEntries(infos.map((info) => [info.name, info]));
}

export function testSource(
  name: string,
  columns: readonly TestColumn[],
  more: {
    key?: string[];
    json_schema?: JsonValue;
    on_conflict?: 'append' | 'upsert';
    on_error?: 'fail' | 'quarantine';
  } = {},
): SourceNode {
  return {
    resource_type: 'source',
    unique_id: `source.test.s.${name}`,
    name,
    source_name: 's',
    identifier: name,
    schema: 's',
    columns: columnsOf(columns),
    key: more.key ?? [],
    json_schema: more.json_schema ?? null,
    format: 'json',
    config: {
      enabled: true,
      tags: [],
      meta: {},
      on_conflict: more.on_conflict ?? 'append',
      on_error: more.on_error ?? 'fail',
    },
    at: { file: 'sources/test.yml', line: 1, column: 1 },
  } as unknown as SourceNode;
}

export function testSeed(
  name: string,
  more: { columns?: readonly TestColumn[]; config?: Record<string, JsonValue> } = {},
): SeedNode {
  return {
    resource_type: 'seed',
    unique_id: `seed.test.${name}`,
    name: name.replace(/\..*$/, ''),
    schema: 's',
    alias: name.replace(/\..*$/, ''),
    original_file_path: name,
    root_path: null,
    columns: columnsOf(more.columns ?? []),
    config: {
      enabled: true,
      tags: [],
      meta: {},
      delimiter: ',',
      column_types: {},
      quote_columns: null,
      unique_key: null,
      ...more.config,
    },
    at: { file: name, line: 1, column: 1 },
  } as unknown as SeedNode;
}

export async function createSource(db: Connection, source: SourceNode): Promise<void> {
  const columns = valuesOf(source.columns).map((column) => {
    const generated =
      column.generated === 'position'
        ? ' generated always as identity'
        : column.generated === 'received_at'
          ? ' default now()'
          : '';
    return `${quoteIdentifier(column.name)} ${column.data_type}${generated}`;
  });
  if (source.key.length > 0) columns.push(`primary key (${source.key.map(quoteIdentifier).join(', ')})`);
  const table = quoteRelation({ schema: source.schema, name: source.identifier });
  const rejected = quoteRelation({ schema: source.schema, name: `${source.identifier}__rejected` });
  await db.exec(`
    create schema if not exists ${quoteIdentifier(source.schema)};
    drop table if exists ${table}, ${rejected} cascade;
    create table ${table} (${columns.join(', ')});
    create table ${rejected} (rejected_at timestamptz not null default now(), origin text not null, line bigint,
      reason text not null, payload text)`);
}

export const segmentEvents = testSource(
  'segment_events',
  [
    { name: 'position', data_type: 'bigint', generated: 'position' },
    { name: 'event_id', data_type: 'uuid', path: 'event' },
    { name: 'event_at', data_type: 'timestamptz', path: 'timestamp', not_null: true },
    { name: 'user_id', data_type: 'text', path: 'user' },
    { name: 'vendor', data_type: 'integer', path: 'segment.vendor' },
    { name: 'segment', data_type: 'text', path: 'segment.name' },
    { name: 'value', data_type: 'text' },
    { name: 'remove', data_type: 'boolean' },
    { name: 'payload', data_type: 'jsonb', path: '$' },
    { name: 'received_at', data_type: 'timestamptz', generated: 'received_at' },
  ],
  {
    key: ['event_id'],
    json_schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['event', 'timestamp', 'user', 'segment'],
      properties: {
        event: { type: 'string', format: 'uuid' },
        timestamp: { type: 'string', format: 'date-time' },
        user: { type: 'string', minLength: 1 },
        segment: {
          type: 'object',
          required: ['vendor', 'name'],
          properties: {
            vendor: { type: 'integer', minimum: 1 },
            name: { type: 'string', minLength: 1, maxLength: 32 },
          },
        },
        value: { type: 'string' },
        remove: { const: true },
      },
      if: { required: ['remove'] },
      then: { properties: { value: false } },
    },
  },
);

import {
  anything,
  bool,
  count,
  list,
  mapping,
  name,
  record,
  records,
  scalarText,
  text,
  textMap,
  texts,
} from './schema.ts';
import type { Schema } from './schema.ts';

export const sinkTypes = [
  'webhook',
  'postgres',
  'kafka',
  'file',
  'salesforce',
  'hubspot',
  'slack',
  'stdout',
] as const;
export type SinkType = (typeof sinkTypes)[number];

export const sinkModes = ['changes', 'upsert', 'insert_only', 'update_only', 'mirror'] as const;
export type SinkMode = (typeof sinkModes)[number];

const number: Schema = { type: ['number', 'null'], minimum: 0 };
const positive: Schema = { type: ['integer', 'null'], minimum: 1 };

/** What every type understands: how much at once, how many at a time, how fast, how long, how often. */
const delivery: Record<string, Schema> = {
  batch_size: positive,
  timeout: number,
  max_attempts: positive,
};
const requests: Record<string, Schema> = { ...delivery, concurrency: positive, requests_per_second: number };

/** The `config:` of a sink, per type. Values may be templates that read the environment; they are rendered when the sink runs. */
export const sinkSchemas: Record<SinkType, Schema> = {
  webhook: record(
    'the config of a webhook',
    {
      ...requests,
      url: name,
      method: { type: ['string', 'null'], enum: ['POST', 'PUT', 'PATCH', null] },
      headers: textMap,
      secret: text,
      per: { type: ['string', 'null'], enum: ['batch', 'change', null] },
      body: anything,
      group_by: record(
        'the group_by of a webhook',
        { column: name, collect: name, entered: name, left: name },
        ['column', 'collect'],
      ),
    },
    ['url'],
  ),
  postgres: record(
    'the config of a postgres sink',
    {
      ...delivery,
      connection: name,
      schema: text,
      table: name,
      nulls: { type: ['string', 'null'], enum: ['overwrite', 'keep', null] },
    },
    ['connection', 'table'],
  ),
  kafka: record(
    'the config of a kafka sink',
    {
      ...delivery,
      brokers: texts,
      topic: name,
      client_id: text,
      transactional: bool,
      tls: bool,
      sasl: record('the sasl of a kafka sink', { mechanism: text, username: text, password: scalarText }),
    },
    ['brokers', 'topic'],
  ),
  file: record(
    'the config of a file sink',
    {
      path: name,
      format: { type: ['string', 'null'], enum: ['ndjson', 'csv', null] },
      compress: { type: ['string', 'null'], enum: ['gzip', 'none', null] },
      partition_by: texts,
      partition_time: record('the partition_time of a file sink', {
        column: text,
        by: { type: ['string', 'null'], enum: ['hour', 'day', null] },
      }),
      max_records: positive,
      max_bytes: positive,
      max_seconds: number,
    },
    ['path'],
  ),
  salesforce: record(
    'the config of a salesforce sink',
    {
      ...requests,
      instance_url: name,
      object: name,
      external_id: name,
      api_version: text,
      access_token: text,
      client_id: text,
      client_secret: text,
      bulk_from: count,
      nulls: { type: ['string', 'null'], enum: ['overwrite', 'keep', null] },
    },
    ['instance_url', 'object', 'external_id'],
  ),
  hubspot: record(
    'the config of a hubspot sink',
    {
      ...requests,
      token: name,
      object: text,
      id_property: text,
      base_url: text,
      nulls: { type: ['string', 'null'], enum: ['overwrite', 'keep', null] },
    },
    ['token'],
  ),
  slack: record('the config of a slack sink', { ...requests, url: name, text, blocks: list }, ['url']),
  stdout: record('the config of a stdout sink', { batch_size: positive }),
};

/** Values that must come from the environment. `connection` and `url` may be written out as long as they hold no password. */
export const secretSettings = new Set([
  'secret',
  'access_token',
  'client_secret',
  'token',
  'password',
  'slack.url',
]);

/** Templates over the records, rendered for each request: not with the rest of the settings. */
export const recordTemplates = new Set(['body', 'text', 'blocks']);

/** What a type can do with changes; the first is its default. */
export const modesOfType: Record<SinkType, readonly SinkMode[]> = {
  webhook: sinkModes,
  slack: ['changes', 'upsert', 'insert_only', 'mirror'],
  stdout: sinkModes,
  kafka: ['changes', 'upsert', 'insert_only', 'mirror'],
  file: ['changes', 'upsert', 'insert_only', 'mirror'],
  postgres: ['upsert', 'insert_only', 'update_only', 'mirror'],
  salesforce: ['upsert', 'insert_only', 'update_only', 'mirror'],
  hubspot: ['upsert', 'insert_only', 'update_only', 'mirror'],
};

const share: Schema = { type: ['number', 'boolean', 'null'], minimum: 0 };

/** One item of `sinks:` in a property file. */
export const sinkSchema: Schema = records(
  'a sink',
  {
    name,
    description: text,
    from: name,
    type: { type: 'string', enum: sinkTypes },
    mode: { type: ['string', 'null'], enum: [...sinkModes, null] },
    columns: texts,
    mapping: textMap,
    where: text,
    primary_key: texts,
    on_delete: { type: ['string', 'object', 'null'] },
    backfill: bool,
    guard: {
      type: ['number', 'boolean', 'object', 'null'],
      minimum: 0,
      properties: { deletes: share, changes: share, at_least: count },
    },
    notify: record(
      'the notify of a sink',
      { type: { type: 'string', enum: ['slack', 'webhook'] }, url: name },
      ['type', 'url'],
    ),
    config: mapping,
    tags: texts,
    meta: mapping,
    enabled: bool,
  },
  ['name', 'from', 'type'],
);

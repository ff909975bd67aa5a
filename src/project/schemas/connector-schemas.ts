import { bool, name, record, scalarText, text, texts } from './schema.ts';
import type { Schema } from './schema.ts';

/** Connectors of the streaming engines, which fill a source without `seg ingest`. */
export const connectorTypes = ['kafka', 'postgres', 'webhook', 'datagen', 'load_generator'] as const;
export type ConnectorType = (typeof connectorTypes)[number];

/** Which engines have which. */
export const connectorEngines: Readonly<Record<ConnectorType, readonly string[]>> = {
  kafka: ['risingwave', 'materialize'],
  postgres: ['risingwave', 'materialize'],
  webhook: ['risingwave', 'materialize'],
  datagen: ['risingwave'],
  load_generator: ['materialize'],
};

/** Connectors for what a `sink` model sends, by engine. */
export const sinkConnectorEngines: Readonly<Record<string, readonly string[]>> = {
  kafka: ['risingwave', 'materialize'],
  risingwave: ['risingwave'],
};

const options: Schema = { type: ['object', 'null'], additionalProperties: scalarText };

const kafka: Record<string, Schema> = {
  type: name,
  brokers: texts,
  topic: name,
  security_protocol: {
    type: ['string', 'null'],
    enum: ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl', null],
  },
  sasl_mechanism: { type: ['string', 'null'], enum: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', null] },
  username: text,
  password: text,
  cluster: text,
  options,
};

/** What stands under `connector:` of a source; `options` are the engine's own, in its own words. */
export const connectorSchemas: Readonly<Record<ConnectorType, Schema>> = {
  kafka: record(
    'a kafka connector',
    {
      ...kafka,
      start: { type: ['string', 'null'], enum: ['earliest', 'latest', null] },
      persist: bool,
      order_by: text,
    },
    ['brokers', 'topic'],
  ),
  postgres: record(
    'a postgres connector',
    {
      type: name,
      host: name,
      port: scalarText,
      user: name,
      password: text,
      database: name,
      table: name,
      publication: text,
      slot: text,
      sslmode: text,
      cluster: text,
      options,
    },
    ['host', 'user', 'database', 'table'],
  ),
  webhook: record('a webhook connector', {
    type: name,
    header: text,
    secret: text,
    signature: { type: ['string', 'null'], enum: ['hmac_sha256', 'hmac_sha1', 'plain', null] },
    prefix: text,
    batched: bool,
    order_by: text,
    cluster: text,
    options,
  }),
  datagen: record('a datagen connector', { type: name, rows_per_second: scalarText, options }),
  load_generator: record(
    'a load_generator connector',
    { type: name, generator: name, tick: text, table: text, cluster: text, options },
    ['generator'],
  ),
};

/** What stands under `connector:` of a model that is materialized as `sink`. */
export const sinkConnectorSchemas: Readonly<Record<string, Schema>> = {
  kafka: record(
    'the kafka connector of a sink',
    {
      ...kafka,
      format: { type: ['string', 'null'], enum: ['upsert', 'debezium', 'append_only', null] },
      snapshot: bool,
    },
    ['brokers', 'topic'],
  ),
  // Any other connector of RisingWave, in its own words: options hold what stands in WITH (...).
  risingwave: record(
    'the connector of a sink',
    { type: name, connector: name, format: text, encode: text, options },
    ['connector'],
  ),
};

/** Settings that are secrets, wherever they stand. */
export function isSecretSetting(name: string): boolean {
  return /pass(word)?$|secret|token|access[._ -]?key|private[._ -]?key|credential/i.test(name);
}

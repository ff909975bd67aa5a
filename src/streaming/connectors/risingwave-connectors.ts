/**
 * RisingWave's connectors. A connector fills a table, so that a rebuilt model reads what has arrived before; with `persist: false` a
 * source, which keeps nothing. Secrets are written into the statement: objects of kind SECRET need a licence.
 */
import { segError } from '../../diagnostics/seg-error.ts';
import type { RelationName } from '../../ivm/catalog.ts';
import type { SourceNode } from '../../project/nodes.ts';
import { quoteIdentifier, quoteRelation, quoteText } from '../../sql/quote.ts';
import { shortName } from '../../sql/short-name.ts';
import { risingwaveType } from '../data-types.ts';
import type { ConnectorText } from '../dialect.ts';
import type { ConnectorObjects } from './raw-object.ts';
import { required } from './settings.ts';
import type { ConnectorOwner, ConnectorSettings } from './settings.ts';
import { valuesOf } from '../../json/member-order.ts';

/** The object that a connector fills, beside the view that bears the source's name. */
export function rawRelation({ schema, name }: RelationName): RelationName {
  return { schema, name: shortName(`${name}__raw`) };
}

export function risingwaveConnector(
  source: SourceNode,
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
): ConnectorObjects {
  switch (settings.type) {
    case 'kafka':
      return kafka(relation, settings, owner);
    case 'webhook':
      return webhook(relation, settings);
    case 'datagen':
      return datagen(source, relation, settings);
    case 'postgres':
      return postgres(source, relation, settings, owner);
    default:
      throw new Error(`invariant: RisingWave has no connector ${settings.type}`);
  }
}

/** Options of WITH as they are written, common ones first; the engine's own words win. */
export function withOptions(
  common: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = { ...common, ...own };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, literal(value)]])),
  );
}

/** The settings of Kafka that sources and sinks have in common. */
export function kafkaOptions(
  settings: ConnectorSettings,
  owner: ConnectorOwner,
): Record<string, string | undefined> {
  const brokers = settings.list('brokers');
  if (brokers.length === 0) required(settings, 'brokers', owner);
  const username = settings.text('username');
  return {
    connector: 'kafka',
    topic: required(settings, 'topic', owner),
    'properties.bootstrap.server': brokers.join(','),
    'properties.security.protocol':
      settings.text('security_protocol')?.toUpperCase() ?? (username === undefined ? undefined : 'SASL_SSL'),
    'properties.sasl.mechanism':
      settings.text('sasl_mechanism') ?? (username === undefined ? undefined : 'PLAIN'),
    'properties.sasl.username': username,
    'properties.sasl.password': settings.text('password'),
  };
}

function kafka(relation: RelationName, settings: ConnectorSettings, owner: ConnectorOwner): ConnectorObjects {
  const name = rawRelation(relation);
  const kept = settings.flag('persist') !== false;
  const text: ConnectorText = {
    // The whole message is what is read; a list of columns must stand here, and none of a message's is needed.
    before: `("_seg_none" jsonb)
INCLUDE payload AS "payload"
INCLUDE partition AS "partition"
INCLUDE offset AS "offset"
INCLUDE timestamp AS "arrived_at"
WITH `,
    options: withOptions(
      { ...kafkaOptions(settings, owner), 'scan.startup.mode': settings.text('start') ?? 'earliest' },
      settings.options,
    ),
    after: '\nFORMAT PLAIN ENCODE JSON',
    lasting: false,
  };
  return {
    objects: [{ suffix: 'raw', kind: kept ? 'table' : 'source', relation: name, text, reads: [] }],
    rows: {
      kind: 'json',
      raw: {
        from: quoteRelation(name),
        record: '"payload"',
        // Offsets grow within a partition, and a key's messages are in one.
        position: '("offset"::bigint * 4096 + "partition"::bigint)',
        receivedAt: '"arrived_at"',
        orderBy: settings.text('order_by'),
      },
    },
  };
}

function webhook(relation: RelationName, settings: ConnectorSettings): ConnectorObjects {
  const name = rawRelation(relation);
  const header = settings.text('header');
  const secret = settings.text('secret');
  return {
    objects: [
      {
        suffix: 'raw',
        kind: 'table',
        relation: name,
        text: {
          before: '("data" jsonb)\nWITH ',
          options: {
            ...withOptions({ connector: 'webhook' }, settings.options),
            // The bare word: in quotes it is not read, and a body is one record.
            ...(settings.flag('batched') === true ? { is_batched: 'true' } : {}),
          },
          after:
            secret === undefined ? '' : `\nVALIDATE AS ${check(settings, header ?? 'x-signature', secret)}`,
          lasting: true,
        },
        reads: [],
      },
    ],
    rows: {
      kind: 'json',
      raw: { from: quoteRelation(name), record: '"data"', orderBy: settings.text('order_by') },
    },
  };
}

/** The condition that a request must satisfy, over `headers` (lower case) and the body, called as its column. */
function check(settings: ConnectorSettings, header: string, secret: string): string {
  const given = `headers->>${quoteText(header.toLowerCase())}`;
  const prefix = settings.text('prefix');
  const before = prefix === undefined ? '' : `${quoteText(prefix)} || `;
  const signature = settings.text('signature') ?? 'hmac_sha256';
  if (signature === 'plain') return `secure_compare(${given}, ${before}${literal(secret)})`;
  const algorithm = signature === 'hmac_sha1' ? 'sha1' : 'sha256';
  return `secure_compare(${given}, ${before}encode(hmac(${literal(secret)}, data, '${algorithm}'), 'hex'))`;
}

/** Made-up rows, typed by the engine itself: the fields are the source's columns. */
function datagen(source: SourceNode, relation: RelationName, settings: ConnectorSettings): ConnectorObjects {
  const columns = valuesOf(source.columns).map(
    ({ name, data_type: type }) => `${quoteIdentifier(name)} ${risingwaveType(type ?? 'text')}`,
  );
  return {
    objects: [
      {
        suffix: '',
        kind: 'table',
        relation,
        text: {
          before: `(\n  ${columns.join(',\n  ')}\n)\nWITH `,
          options: withOptions(
            {
              connector: 'datagen',
              'datagen.rows.per.second': settings.text('rows_per_second') ?? '10',
            },
            settings.options,
          ),
          after: '\nFORMAT PLAIN ENCODE JSON',
          lasting: false,
        },
        reads: [],
      },
    ],
    rows: { kind: 'typed', query: null },
  };
}

/** Changes of a table of PostgreSQL: a source for the connection, and the table that follows it. */
function postgres(
  source: SourceNode,
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
): ConnectorObjects {
  if (source.key.length === 0) {
    throw segError('SEG440', `${owner.label} has a postgres connector but no key`, {
      at: owner.at,
      hint: 'Add "key:", the columns of the primary key of the table in PostgreSQL.',
    });
  }
  const name = rawRelation(relation);
  const [schema, table] = upstreamTable(required(settings, 'table', owner));
  const columns = valuesOf(source.columns).map(
    ({ name: column, data_type: type }) => `${quoteIdentifier(column)} ${risingwaveType(type ?? 'text')}`,
  );
  const keys = source.key.map(quoteIdentifier).join(', ');
  return {
    objects: [
      {
        suffix: 'raw',
        kind: 'source',
        relation: name,
        text: {
          before: 'WITH ',
          options: withOptions(
            {
              connector: 'postgres-cdc',
              hostname: required(settings, 'host', owner),
              port: settings.text('port') ?? '5432',
              username: required(settings, 'user', owner),
              password: settings.text('password'),
              'database.name': required(settings, 'database', owner),
              'schema.name': schema,
              'slot.name': settings.text('slot'),
              'publication.name': settings.text('publication'),
              'ssl.mode': settings.text('sslmode'),
            },
            settings.options,
          ),
          after: '',
          lasting: false,
        },
        reads: [],
      },
      {
        suffix: '',
        kind: 'table',
        relation,
        text: {
          before: `(\n  ${columns.join(',\n  ')},\n  PRIMARY KEY (${keys})\n) FROM ${quoteRelation(name)} TABLE ${quoteText(`${schema}.${table}`)}`,
          options: {},
          after: '',
          lasting: false,
        },
        reads: ['raw'],
      },
    ],
    rows: { kind: 'typed', query: null },
  };
}

/** `schema.table`, or a table of `public`. */
export function upstreamTable(written: string): [schema: string, table: string] {
  const dot = written.indexOf('.');
  return dot === -1 ? ['public', written] : [written.slice(0, dot), written.slice(dot + 1)];
}

/** A literal; a token of a secret stays a token, whose value is quoted when it is put in. */
function literal(value: string): string {
  return quoteText(value);
}

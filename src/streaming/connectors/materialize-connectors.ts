/** Materialize's connectors: secrets, a connection, a source, and what its rows are. */
import type { RelationName } from '../../ivm/catalog.ts';
import type { SourceNode } from '../../project/nodes.ts';
import { quoteIdentifier, quoteRelation, quoteText } from '../../sql/quote.ts';
import { shortName } from '../../sql/short-name.ts';
import type { ConnectorText } from '../dialect.ts';
import { subsource } from './raw-object.ts';
import type { ConnectorObjects, RawObject } from './raw-object.ts';
import { rawRelation, upstreamTable } from './risingwave-connectors.ts';
import { required } from './settings.ts';
import type { ConnectorOwner, ConnectorSettings } from './settings.ts';
import { valuesOf } from '../../json/member-order.ts';

const nothing = { options: {}, after: '', lasting: false } as const;

export function materializeConnector(
  source: SourceNode,
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
  cluster: string | undefined,
): ConnectorObjects {
  const inCluster = cluster === undefined ? '' : `IN CLUSTER ${quoteIdentifier(cluster)} `;
  switch (settings.type) {
    case 'kafka':
      return kafka(relation, settings, owner, inCluster);
    case 'webhook':
      return webhook(relation, settings, inCluster);
    case 'postgres':
      return postgres(source, relation, settings, owner, inCluster);
    case 'load_generator':
      return loadGenerator(source, relation, settings, owner, inCluster);
    default:
      throw new Error(`invariant: Materialize has no connector ${settings.type}`);
  }
}

/** A secret of its own for each that the settings hold, which options then name. */
export function secretObjects(relation: RelationName, settings: ConnectorSettings): RawObject[] {
  return secretNames(settings).map((name): RawObject => ({
    suffix: `secret.${name}`,
    kind: 'secret',
    relation: secretRelation(relation, name),
    text: { before: `AS ${quoteText(tokenOf(settings, name))}`, ...nothing },
    reads: [],
  }));
}

/** The Kafka connection of a source or a sink. */
export function kafkaConnection(
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
): RawObject {
  const brokers = settings.list('brokers');
  if (brokers.length === 0) required(settings, 'brokers', owner);
  const username = settings.text('username');
  const protocol =
    settings.text('security_protocol')?.toUpperCase() ?? (username === undefined ? 'PLAINTEXT' : 'SASL_SSL');
  const options = sqlOptions(
    relation,
    {
      'SECURITY PROTOCOL': protocol,
      'SASL MECHANISMS': settings.text('sasl_mechanism') ?? (username === undefined ? undefined : 'PLAIN'),
      'SASL USERNAME': username,
      'SASL PASSWORD': settings.text('password'),
    },
    settings.options,
  );
  return {
    suffix: 'connection',
    kind: 'connection',
    relation: connectionRelation(relation),
    text: {
      before: 'TO KAFKA ',
      options: { BROKERS: `(${brokers.map(quoteText).join(', ')})`, ...options },
      after: '',
      lasting: false,
    },
    reads: secretNames(settings).map((name) => `secret.${name}`),
  };
}

function kafka(
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
  inCluster: string,
): ConnectorObjects {
  const name = rawRelation(relation);
  const connection = kafkaConnection(relation, settings, owner);
  const topic = [
    `TOPIC = ${quoteText(required(settings, 'topic', owner))}`,
    // Milliseconds back from now.
    ...(settings.text('start') === 'latest' ? ['START TIMESTAMP = -1'] : []),
  ];
  const text: ConnectorText = {
    before: `${inCluster}FROM KAFKA CONNECTION ${quoteRelation(connection.relation)} (${topic.join(', ')})
FORMAT JSON
INCLUDE PARTITION AS "partition", OFFSET AS "offset", TIMESTAMP AS "arrived_at"
ENVELOPE NONE`,
    ...nothing,
  };
  return {
    objects: [
      ...secretObjects(relation, settings),
      connection,
      { suffix: 'raw', kind: 'source', relation: name, text, reads: ['connection'] },
    ],
    rows: {
      kind: 'json',
      raw: {
        from: quoteRelation(name),
        record: '"data"',
        position: '("offset"::text::bigint * 4096 + "partition"::bigint)',
        receivedAt: `("arrived_at" AT TIME ZONE 'UTC')`,
        orderBy: settings.text('order_by'),
      },
    },
  };
}

function webhook(relation: RelationName, settings: ConnectorSettings, inCluster: string): ConnectorObjects {
  const name = rawRelation(relation);
  const [secret] = secretNames(settings);
  const text: ConnectorText = {
    before: `${inCluster}FROM WEBHOOK\nBODY FORMAT JSON${settings.flag('batched') === true ? ' ARRAY' : ''}${
      secret === undefined ? '' : `\n${check(settings, quoteRelation(secretRelation(relation, secret)))}`
    }`,
    options: {},
    after: '',
    lasting: true,
  };
  return {
    objects: [
      ...secretObjects(relation, settings),
      {
        suffix: 'raw',
        kind: 'source',
        relation: name,
        text,
        reads: secretNames(settings).map((each) => `secret.${each}`),
      },
    ],
    rows: {
      kind: 'json',
      raw: { from: quoteRelation(name), record: '"body"', orderBy: settings.text('order_by') },
    },
  };
}

function check(settings: ConnectorSettings, secret: string): string {
  const header = `headers->${quoteText((settings.text('header') ?? 'x-signature').toLowerCase())}`;
  const prefix = settings.text('prefix');
  const before = prefix === undefined ? '' : `${quoteText(prefix)} || `;
  const signature = settings.text('signature') ?? 'hmac_sha256';
  if (signature === 'plain')
    return `CHECK (WITH (HEADERS, SECRET ${secret} AS secret) constant_time_eq(${header}, ${before}secret))`;
  const algorithm = signature === 'hmac_sha1' ? 'sha1' : 'sha256';
  return `CHECK (WITH (HEADERS, BODY AS body, SECRET ${secret} AS secret) constant_time_eq(${header}, ${before}encode(hmac(body, secret, '${algorithm}'), 'hex')))`;
}

/** A replicated table is a sub-source, which is made with its source; the source's view names its columns. */
function postgres(
  source: SourceNode,
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
  inCluster: string,
): ConnectorObjects {
  const name = rawRelation(relation);
  const connection = connectionRelation(relation);
  const [schema, table] = upstreamTable(required(settings, 'table', owner));
  const options = sqlOptions(
    relation,
    {
      HOST: required(settings, 'host', owner),
      USER: required(settings, 'user', owner),
      PASSWORD: settings.text('password'),
      DATABASE: required(settings, 'database', owner),
      'SSL MODE': settings.text('sslmode'),
    },
    settings.options,
  );
  const publication = settings.text('publication') ?? 'mz_source';
  const text: ConnectorText = {
    before: `${inCluster}FROM POSTGRES CONNECTION ${quoteRelation(connection)} (PUBLICATION = ${quoteText(publication)})
FOR TABLES (${quoteRelation({ schema, name: table })} AS ${quoteRelation(subsource(name))})`,
    ...nothing,
    subsource: true,
  };
  return {
    objects: [
      ...secretObjects(relation, settings),
      {
        suffix: 'connection',
        kind: 'connection',
        relation: connection,
        text: {
          before: 'TO POSTGRES ',
          options: { ...options, PORT: settings.text('port') ?? '5432' },
          after: '',
          lasting: false,
        },
        reads: secretNames(settings).map((each) => `secret.${each}`),
      },
      { suffix: 'raw', kind: 'source', relation: name, text, reads: ['connection'] },
    ],
    rows: { kind: 'typed', query: selected(source, subsource(name)) },
  };
}

const generators = new Map([
  ['counter', 'COUNTER'],
  ['auction', 'AUCTION'],
  ['marketing', 'MARKETING'],
  ['tpch', 'TPCH'],
]);

function loadGenerator(
  source: SourceNode,
  relation: RelationName,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
  inCluster: string,
): ConnectorObjects {
  const written = required(settings, 'generator', owner).toLowerCase();
  const generator = generators.get(written) ?? written.toUpperCase().replace(/[^A-Z_]/g, '');
  const name = rawRelation(relation);
  const table = settings.text('table');
  const given = [
    ...(settings.text('tick') === undefined ? [] : [`TICK INTERVAL = ${quoteText(settings.text('tick')!)}`]),
    ...Object.entries(settings.options).map(([option, value]) => `${option} = ${plainOrText(value)}`),
  ];
  const text: ConnectorText = {
    before: `${inCluster}FROM LOAD GENERATOR ${generator}${given.length === 0 ? '' : ` (${given.join(', ')})`}${
      table === undefined
        ? ''
        : `\nFOR TABLES (${quoteIdentifier(table)} AS ${quoteRelation(subsource(name))})`
    }`,
    ...nothing,
    subsource: table !== undefined,
  };
  return {
    objects: [{ suffix: 'raw', kind: 'source', relation: name, text, reads: [] }],
    rows: { kind: 'typed', query: selected(source, table === undefined ? name : subsource(name)) },
  };
}

/** The columns that the source declares, as they come. */
function selected(source: SourceNode, from: RelationName): string {
  const columns = valuesOf(source.columns).map(({ name, path }) =>
    path === undefined || path === name
      ? quoteIdentifier(name)
      : `${quoteIdentifier(path)} AS ${quoteIdentifier(name)}`,
  );
  return `SELECT ${columns.length === 0 ? '*' : columns.join(', ')}\nFROM ${quoteRelation(from)}`;
}

export function connectionRelation({ schema, name }: RelationName): RelationName {
  return { schema, name: shortName(`${name}__connection`) };
}

function secretRelation({ schema, name }: RelationName, secret: string): RelationName {
  return { schema, name: shortName(`${name}__${secret.toLowerCase().replace(/\W+/g, '_')}`) };
}

function secretNames(settings: ConnectorSettings): string[] {
  return [...settings.secrets.keys()];
}

function tokenOf(settings: ConnectorSettings, name: string): string {
  return settings.text(name) ?? settings.options[name] ?? '';
}

const token = /^\{\{seg secret ([^}]*)\}\}$/;

/** Values as literals; secrets by their objects. */
function sqlOptions(
  relation: RelationName,
  common: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const sqlOf = (value: string, plain: (text: string) => string): string => {
    const secret = token.exec(value)?.[1];
    return secret === undefined ? plain(value) : `SECRET ${quoteRelation(secretRelation(relation, secret))}`;
  };
  const ours = Object.entries(common).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, sqlOf(value, quoteText)]],
  );
  const theirs = Object.entries(own).map(([name, value]) => [name.toUpperCase(), sqlOf(value, plainOrText)]);
  return Object.fromEntries([...ours, ...theirs]) as Record<string, string>;
}

function plainOrText(value: string): string {
  return /^(-?[0-9]+(\.[0-9]+)?|true|false)$/.test(value) ? value : quoteText(value);
}

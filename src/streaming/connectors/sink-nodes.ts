/** A model that is materialized as `sink`: its query, sent on by the engine itself. */
import { segError } from '../../diagnostics/seg-error.ts';
import type { Project } from '../../project/load.ts';
import type { ModelNode } from '../../project/nodes.ts';
import { quoteIdentifier, quoteRelation, quoteText } from '../../sql/quote.ts';
import { shortName } from '../../sql/short-name.ts';
import { desiredNode, fingerprintOf } from '../desired-node.ts';
import type { DesiredNode } from '../desired-node.ts';
import type { ConnectorText, Dialect } from '../dialect.ts';
import { kafkaConnection, secretObjects } from './materialize-connectors.ts';
import { kafkaOptions, withOptions } from './risingwave-connectors.ts';
import { connectorSettings, required } from './settings.ts';
import type { ConnectorOwner, ConnectorSettings } from './settings.ts';
import { rawNodes } from './source-nodes.ts';

/**
 * @param dry without a connection: the environment is not read
 * @throws SegError SEG440, SEG230
 */
export function sinkNodes(project: Project, dialect: Dialect, model: ModelNode, dry = false): DesiredNode[] {
  const label = `model "${model.name}"`;
  const owner: ConnectorOwner = {
    label,
    at: model.at,
    packageName: model.package_name,
    connector: model.connector ?? {},
    of: 'sink',
  };
  const settings = connectorSettings(project, owner, dry);
  // The query, as a view would have it.
  const view = desiredNode(project, dialect, model);
  const query = view.definition ?? '';
  const sink = (text: ConnectorText, reads: readonly string[]): DesiredNode => ({
    ...view,
    kind: 'sink',
    definition: null,
    reads,
    connector: text,
    secrets: dialect.engine === 'risingwave' ? settings.secrets : new Map(),
    fingerprint: fingerprintOf({ kind: 'sink', relation: view.relation, text }),
  });
  if (dialect.engine === 'risingwave')
    return [sink(risingwaveSink(query, settings, owner, view.key), view.reads)];
  const objects = [
    ...secretObjects(view.relation, settings),
    kafkaConnection(view.relation, settings, owner),
  ];
  const connection = `${model.unique_id}.connection`;
  const rows: DesiredNode = {
    ...view,
    uniqueId: `${model.unique_id}.rows`,
    label: `the rows of ${label}`,
    relation: { schema: view.relation.schema, name: shortName(`${view.relation.name}__rows`) },
    kind: 'materialized_view',
    indexes: [],
    fingerprint: fingerprintOf({ relation: view.relation, query, cluster: view.cluster }),
  };
  return [
    ...rawNodes(model, label, objects, settings.secrets),
    rows,
    sink(materializeSink(project, settings, owner, rows, quoteRelation(objects.at(-1)!.relation)), [
      rows.uniqueId,
      connection,
    ]),
  ];
}

function risingwaveSink(
  query: string,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
  key: readonly string[],
): ConnectorText {
  const before = `AS\n${query}\nWITH `;
  if (settings.type !== 'kafka') {
    const format = settings.text('format');
    const encode = settings.text('encode') ?? 'JSON';
    const options = withOptions({ connector: required(settings, 'connector', owner) }, settings.options);
    return {
      before,
      options,
      after: format === undefined ? '' : `\nFORMAT ${word(format, owner)} ENCODE ${word(encode, owner)}`,
      lasting: false,
    };
  }
  const format = settings.text('format') ?? (key.length > 0 ? 'upsert' : 'append_only');
  requireKey(format, key, owner);
  const options = withOptions(
    {
      ...kafkaOptions(settings, owner),
      primary_key: format === 'append_only' ? undefined : key.join(','),
      snapshot: settings.flag('snapshot') === false ? 'false' : undefined,
    },
    settings.options,
  );
  const words = format === 'upsert' ? 'UPSERT' : format === 'debezium' ? 'DEBEZIUM' : 'PLAIN';
  const forced = format === 'append_only' ? " (force_append_only = 'true')" : '';
  return { before, options, after: `\nFORMAT ${words} ENCODE JSON${forced}`, lasting: false };
}

function materializeSink(
  project: Pick<Project, 'target'>,
  settings: ConnectorSettings,
  owner: ConnectorOwner,
  { relation, key, cluster: own }: DesiredNode,
  connection: string,
): ConnectorText {
  const cluster = settings.text('cluster') ?? own ?? project.target.fields['cluster'];
  const inCluster =
    typeof cluster === 'string' && cluster !== '' ? `IN CLUSTER ${quoteIdentifier(cluster)} ` : '';
  const format = settings.text('format') ?? (key.length > 0 ? 'upsert' : 'debezium');
  if (format === 'append_only') {
    throw segError('SEG440', `Materialize sends no append_only to Kafka (${owner.label})`, {
      at: owner.at,
      hint: 'Write format: upsert, with a unique_key, or debezium.',
    });
  }
  requireKey(format, key, owner);
  const from = quoteRelation(relation);
  const keyed = key.length === 0 ? '' : `\nKEY (${key.map(quoteIdentifier).join(', ')}) NOT ENFORCED`;
  const topic = quoteText(required(settings, 'topic', owner));
  return {
    before: `${inCluster}FROM ${from}
INTO KAFKA CONNECTION ${connection} (TOPIC = ${topic})${keyed}
FORMAT JSON ENVELOPE ${format.toUpperCase()}${settings.flag('snapshot') === false ? ' WITH (SNAPSHOT = false)' : ''}`,
    options: {},
    after: '',
    lasting: false,
    from,
  };
}

function requireKey(format: string, key: readonly string[], owner: ConnectorOwner): void {
  if (format !== 'upsert' || key.length > 0) return;
  throw segError('SEG440', `${owner.label} sends upserts, but has no key`, {
    at: owner.at,
    hint: 'Set "unique_key" of the model.',
  });
}

/** A word of FORMAT or ENCODE. */
function word(written: string, owner: ConnectorOwner): string {
  if (/^[a-z_]+$/i.test(written)) return written.toUpperCase();
  throw segError('SEG440', `"${written}" is no format of a sink (${owner.label})`, {
    at: owner.at,
    hint: 'Write PLAIN, UPSERT or DEBEZIUM, and JSON, AVRO or another word.',
  });
}

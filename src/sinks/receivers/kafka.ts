/**
 * Records of a Kafka topic: the key of the record as JSON, its row as the value, and no value (a tombstone) for what is gone, so
 * that a compacted topic holds the model. The producer is idempotent; with `transactional` a batch is visible whole or not at
 * all. Every record carries the id of its batch: one that was sent again after a crash carries the same.
 */
import { randomUUID } from 'node:crypto';
import { MultipleErrors, ProduceAcks, Producer, ProtocolError, stringSerializers } from '@platformatic/kafka';
import { segError } from '../../diagnostics/seg-error.ts';
import { nameElements } from '../../json/exact-json.ts';
import { rowText } from '../record.ts';
import type { Delivery } from '../record.ts';
import { listSetting, numberSetting, requiredSetting, textSetting } from '../sink.ts';
import { ReceiverError } from './receiver.ts';
import type { Failure, Receiver, ReceiverContext } from './receiver.ts';

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export function kafkaReceiver({ sink, shape, instance }: ReceiverContext): Receiver {
  const { settings } = sink;
  const topic = requiredSetting(sink, 'topic');
  const brokers = listSetting(settings, 'brokers');
  const transactional = settings['transactional'] === true;
  const sasl = readSasl();
  let producer: Producer<string, string | undefined, string, string> | undefined;
  return {
    // One at a time: a later batch must not pass an earlier one that is tried again.
    limits: { concurrency: 1, records: numberSetting(settings, 'batch_size', 1000) },
    async send(delivery) {
      try {
        await produce(delivery);
        return [];
      } catch (error) {
        // What the broker has of an idempotent producer's batch is unknown now: a new producer, the same ids.
        await disconnect();
        throw failureOf(error);
      }
    },
    outgoing: (delivery) =>
      messagesOf(delivery).map(({ key, value, headers }) => ({
        to: `topic ${topic}`,
        headers: Object.fromEntries(headers),
        key,
        body: value ?? null,
      })),
    close: disconnect,
  };

  function messagesOf(delivery: Delivery) {
    return delivery.records.map((record) => ({
      topic,
      key: shape.key.length === 0 ? record.key : nameElements(record.key, shape.key),
      value: record.row === null ? undefined : rowText(record.row, shape),
      headers: new Map([
        ['seg-id', delivery.id],
        ['seg-op', record.op],
      ]),
    }));
  }

  async function produce(delivery: Delivery): Promise<void> {
    producer ??= new Producer<string, string | undefined, string, string>({
      clientId: textSetting(settings, 'client_id') ?? `seg-${sink.name}`,
      bootstrapBrokers: brokers,
      idempotent: true,
      acks: ProduceAcks.ALL,
      serializers: stringSerializers as never,
      timeout: numberSetting(settings, 'timeout', 30) * 1000,
      retries: 2,
      autocreateTopics: true,
      ...(transactional
        ? { transactionalId: `seg-${sink.name}-${instance === '' ? randomUUID() : instance}` }
        : {}),
      ...(settings['tls'] === true ? { tls: {} } : {}),
      ...(sasl === undefined ? {} : { sasl }),
    });
    const messages = messagesOf(delivery);
    if (!transactional) {
      await producer.send({ messages });
      return;
    }
    // -1: whatever epoch the broker knows of an earlier producer of this name, it is to give the next (KIP-360); left out, the
    // client asks for 0, and every producer after the first is told that it is fenced.
    const transaction = await producer.beginTransaction({ producerId: -1n, producerEpoch: -1 });
    try {
      await transaction.send({ messages });
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => {});
      throw error;
    }
  }

  async function disconnect(): Promise<void> {
    const old = producer;
    producer = undefined;
    await old?.close().catch(() => {});
  }

  /** @throws SegError SEG731 */
  function readSasl() {
    const written = settings['sasl'];
    if (written === undefined || written === null || typeof written !== 'object' || Array.isArray(written))
      return undefined;
    const asked = typeof written['mechanism'] === 'string' ? written['mechanism'].toUpperCase() : 'PLAIN';
    const mechanism = mechanisms.find((known) => known === asked);
    if (mechanism === undefined) {
      throw segError('SEG731', `unknown SASL mechanism "${asked}" of sink "${sink.name}"`, {
        at: sink.node.at,
        hint: `It is one of ${mechanisms.join(', ')}.`,
      });
    }
    const text = (key: string): string => {
      const value = written[key];
      return value === null || value === undefined
        ? ''
        : typeof value === 'string'
          ? value
          : JSON.stringify(value);
    };
    return { mechanism, username: text('username'), password: text('password') };
  }
}

/** By the names of the protocol's errors: too large or malformed is the records' fault, what is not allowed must be mended. */
function failureOf(error: unknown): ReceiverError {
  const errors = innermost(error);
  const ids = errors.flatMap((each) =>
    each instanceof ProtocolError && typeof each.apiId === 'string' ? [each.apiId] : [],
  );
  const text = [...new Set(errors.map(({ message }) => message))].join('; ').slice(0, 500);
  const some = (names: RegExp): boolean => ids.some((id) => names.test(id));
  const failure: Failure = some(
    /^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE|INVALID_RECORD|CORRUPT_MESSAGE|INVALID_TIMESTAMP)$/,
  )
    ? 'refused'
    : some(
          /AUTHORIZATION_FAILED|SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL|INVALID_TOPIC|UNSUPPORTED_VERSION/,
        )
      ? 'down'
      : 'again';
  return new ReceiverError(failure, text === '' ? 'no answer from Kafka' : text, { cause: error });
}

function innermost(error: unknown): Error[] {
  if (error instanceof MultipleErrors || error instanceof AggregateError) {
    return (error.errors as unknown[]).flatMap((each) => innermost(each));
  }
  if (!(error instanceof Error)) return [new Error(typeof error === 'string' ? error : 'no reason given')];
  return error.cause instanceof Error ? [error, ...innermost(error.cause)] : [error];
}

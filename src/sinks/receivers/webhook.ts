/**
 * Requests with changes as JSON, signed as Standard Webhooks (https://www.standardwebhooks.com) says: `webhook-id` is the
 * same each time a batch is tried, so a receiver that keeps ids handles each batch once.
 */
import { Webhook } from 'standardwebhooks';
import type { JsonRow, JsonValue } from '../../changelog/change.ts';
import { identityOf, stringifyJson, textOfJson } from '../../json/exact-json.ts';
import type { ExactJson } from '../../json/exact-json.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { changeText, keyValues, rowValues } from '../record.ts';
import type { Delivery, SinkRecord } from '../record.ts';
import { numberSetting, requiredSetting, textSetting } from '../sink.ts';
import type { Shape } from '../shape.ts';
import type { Sink } from '../sink.ts';
import { HttpSender, shownRequest } from './http.ts';
import type { HttpRequest } from './http.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';

interface Group {
  readonly by: string;
  readonly collect: string;
  readonly entered: string;
  readonly left: string;
}

export function webhookReceiver(context: ReceiverContext): Receiver {
  const { sink, shape } = context;
  const { settings } = sink;
  const url = readUrl(sink);
  const method = textSetting(settings, 'method') ?? 'POST';
  const headers = readHeaders(settings['headers']);
  const secret = textSetting(settings, 'secret');
  const signer = secret === undefined ? undefined : makeSigner(sink, secret);
  const single = textSetting(settings, 'per') === 'change';
  const group = readGroup(settings['group_by']);
  const sender = new HttpSender({
    timeoutMs: numberSetting(settings, 'timeout', 30) * 1000,
    perSecond: numberSetting(settings, 'requests_per_second', 0),
  });
  return {
    limits: {
      concurrency: numberSetting(settings, 'concurrency', 4),
      records: single ? 1 : numberSetting(settings, 'batch_size', 100),
      wholeLanes: group !== undefined,
    },
    async send(delivery, signal) {
      await sender.send(requestOf(delivery), signal);
      return [];
    },
    outgoing: (delivery) => [shownRequest(requestOf(delivery))],
    close: async () => {},
  };

  function requestOf(delivery: Delivery): HttpRequest {
    const body = bodyOf(delivery);
    const now = new Date();
    return {
      url,
      method,
      headers: {
        'content-type': 'application/json',
        'webhook-id': delivery.id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'idempotency-key': delivery.id,
        ...(signer === undefined ? {} : { 'webhook-signature': signer.sign(delivery.id, now, body) }),
        ...headers,
      },
      body,
    };
  }

  function bodyOf(delivery: Delivery): string {
    const template = settings['body'];
    if (template !== undefined && template !== null) return stringifyJson(rendered(template, delivery));
    if (group !== undefined) {
      const groups = grouped(delivery.records, group, shape);
      return stringifyJson(single && groups.length === 1 ? groups[0] : groups);
    }
    const changes = delivery.records.map((record) => changeText(record, shape, context.position));
    if (single) return changes[0]!;
    return `{"sink":${JSON.stringify(sink.name)},"id":${JSON.stringify(delivery.id)},"changes":[${changes.join(',')}]}`;
  }

  function rendered(template: JsonValue, delivery: Delivery): ExactJson {
    const changes = delivery.records.map((record) => changeValues(record, context));
    const common = { sink: sink.name, id: delivery.id, changes };
    return sink.render(template, single && changes.length === 1 ? { ...common, ...changes[0] } : common);
  }
}

/** What templates over a change see. */
export function changeValues(record: SinkRecord, { shape, position }: ReceiverContext): JsonRow {
  const row = record.row === null ? null : rowValues(record.row, shape);
  const before = record.before === null ? null : rowValues(record.before, shape);
  const key = keyValues(record, shape);
  return {
    op: record.op,
    key,
    row,
    before,
    // Whatever is known of it: a template that names fields works for what has gone, too.
    record: row ?? before ?? key,
    position: position(record.last),
    at: record.at,
  };
}

/** One object for each value of `by`: what came and what went, as lists of the values of `collect`. */
export function grouped(
  records: readonly SinkRecord[],
  group: Group,
  shape: Pick<Shape, 'fields'>,
): JsonRow[] {
  const groups = new Map<string, { by: ExactJson; entered: ExactJson[]; left: ExactJson[] }>();
  for (const record of records) {
    const sides = [
      { text: record.before, side: 'left' },
      { text: record.row, side: 'entered' },
    ] as const;
    for (const { text, side } of sides) {
      if (text === null) continue;
      const row = rowValues(text, shape);
      const by = row[group.by] ?? null;
      const id = identityOf(by);
      const found = groups.get(id) ?? { by, entered: [], left: [] };
      groups.set(id, found);
      found[side].push(row[group.collect] ?? null);
    }
  }
  return [...groups.values()].map(({ by, entered, left }) => ({
    [group.by]: by,
    [group.entered]: entered,
    [group.left]: left,
  }));
}

function readGroup(value: JsonValue | undefined): Group | undefined {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value))
    return undefined;
  const text = (key: string, fallback: string): string =>
    typeof value[key] === 'string' ? value[key] : fallback;
  return {
    by: text('column', ''),
    collect: text('collect', ''),
    entered: text('entered', 'entered'),
    left: text('left', 'left'),
  };
}

function readHeaders(value: JsonValue | undefined): Record<string, string> {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => [name.toLowerCase(), textOfJson(text)]),
  );
}

/** @throws SegError SEG726 */
export function readUrl(sink: Sink, key = 'url'): string {
  const text = requiredSetting(sink, key);
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below; the message of URL would quote a secret.
  }
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw segError('SEG726', `"${key}" of sink "${sink.name}" is no address: ${sink.scrub(text)}`, {
    at: sink.node.at,
    hint: 'It begins with http:// or https://.',
  });
}

function makeSigner(sink: Sink, secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    throw segError('SEG727', `"secret" of sink "${sink.name}" is no signing secret`, {
      at: sink.node.at,
      hint: 'It is base64 text, with or without "whsec_" in front: openssl rand -base64 24.',
    });
  }
}

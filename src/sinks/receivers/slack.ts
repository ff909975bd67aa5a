/** Messages to a Slack channel through an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). */
import type { JsonValue } from '../../changelog/change.ts';
import { nameElements, stringifyJson, textOfJson } from '../../json/exact-json.ts';
import { rowText } from '../record.ts';
import type { Delivery, SinkRecord } from '../record.ts';
import { numberSetting } from '../sink.ts';
import { HttpSender, shownRequest } from './http.ts';
import type { HttpRequest } from './http.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';
import { changeValues, readUrl } from './webhook.ts';

/** Slack cuts a message behind 40,000 characters; nobody reads that far. */
const SHOWN = 20;
const WORDS = { insert: 'new', update: 'changed', delete: 'gone' } as const;

export function slackReceiver(context: ReceiverContext): Receiver {
  const { sink, shape } = context;
  const { settings } = sink;
  const url = readUrl(sink);
  const sender = new HttpSender({
    timeoutMs: numberSetting(settings, 'timeout', 30) * 1000,
    // Slack allows one message a second and channel.
    perSecond: numberSetting(settings, 'requests_per_second', 1),
  });
  const template: JsonValue = settings['text'] ?? null;
  const blocks: JsonValue = settings['blocks'] ?? null;
  return {
    limits: { concurrency: 1, records: numberSetting(settings, 'batch_size', 100) },
    async send(delivery, signal) {
      await sender.send(requestOf(delivery), signal);
      return [];
    },
    outgoing: (delivery) => [shownRequest(requestOf(delivery))],
    close: async () => {},
  };

  function requestOf(delivery: Delivery): HttpRequest {
    const changes = delivery.records.map((record) => changeValues(record, context));
    const values = {
      sink: sink.name,
      id: delivery.id,
      changes,
      ...(changes.length === 1 ? changes[0] : {}),
    };
    const text = template === null ? plainText(delivery.records) : sink.render(template, values);
    const body = {
      text: textOfJson(text),
      ...(blocks === null ? {} : { blocks: sink.render(blocks, values) }),
    };
    return {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stringifyJson(body),
    };
  }

  function plainText(records: readonly SinkRecord[]): string {
    const lines = records.slice(0, SHOWN).map((record) => {
      const row = record.row ?? record.before;
      const shown = row === null ? nameElements(record.key, shape.key) : rowText(row, shape);
      return `• ${WORDS[record.op]}: ${escaped(shown).slice(0, 500)}`;
    });
    const more = records.length > SHOWN ? [`… and ${records.length - SHOWN} more`] : [];
    return [`*${escaped(sink.name)}*`, ...lines, ...more].join('\n');
  }
}

/** The three characters that Slack's markup gives a meaning. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

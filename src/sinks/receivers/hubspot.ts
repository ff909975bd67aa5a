/**
 * HubSpot through its CRM v3 objects API: batches of up to 100, found by one property. Written after the documented API; tested
 * against a local stand-in, not against an account.
 */
import type { JsonRow } from '../../changelog/change.ts';
import { parseJson, stringifyJson, textOfJson } from '../../json/exact-json.ts';
import type { ExactJson, Writable } from '../../json/exact-json.ts';
import type { Refusal } from '../settle.ts';
import { keyValues, rowValues } from '../record.ts';
import type { Delivery, SinkRecord } from '../record.ts';
import { numberSetting, requiredSetting, textSetting } from '../sink.ts';
import { requireKey } from './crm-key.ts';
import { HttpSender, shownRequest } from './http.ts';
import type { HttpRequest } from './http.ts';
import { ReceiverError } from './receiver.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';
import { entriesOf, objectOf } from '../../json/member-order.ts';

const BATCH = 100;

interface BatchAnswer {
  readonly results?: readonly {
    readonly id: string;
    readonly properties?: Readonly<Record<string, string>>;
  }[];
  readonly errors?: readonly {
    readonly message?: string;
    readonly category?: string;
    readonly context?: Readonly<Record<string, readonly string[]>>;
  }[];
}

export function hubspotReceiver({ sink, shape }: ReceiverContext): Receiver {
  const { settings, node } = sink;
  const base = (textSetting(settings, 'base_url') ?? 'https://api.hubapi.com').replace(/\/+$/, '');
  const object = encodeURIComponent(textSetting(settings, 'object') ?? 'contacts');
  const idProperty = textSetting(settings, 'id_property') ?? 'email';
  const token = requiredSetting(sink, 'token');
  requireKey(sink, shape, idProperty, 'id_property');
  const keepNulls = textSetting(settings, 'nulls') === 'keep';
  const soft = typeof node.on_delete === 'object' ? node.on_delete : undefined;
  const sender = new HttpSender({
    timeoutMs: numberSetting(settings, 'timeout', 30) * 1000,
    // Private apps may send 190 requests in 10 seconds on most plans.
    perSecond: numberSetting(settings, 'requests_per_second', 15),
  });
  return {
    limits: {
      concurrency: numberSetting(settings, 'concurrency', 1),
      records: Math.min(BATCH, numberSetting(settings, 'batch_size', BATCH)),
    },
    async send(delivery, signal) {
      const { written, gone } = sides(delivery);
      const refused = written.length === 0 ? [] : await write(written, signal);
      if (gone.length > 0) await archive(gone, signal);
      return refused;
    },
    outgoing(delivery) {
      const { written, gone } = sides(delivery);
      const requests = [
        ...(written.length === 0 ? [] : [writeRequest(written)]),
        // The ids are those that the first of the two answers.
        ...(gone.length === 0 ? [] : [readRequest(gone), archiveRequest(gone.map(() => '<id of HubSpot>'))]),
      ];
      return requests.map(shownRequest);
    },
    close: async () => {},
  };

  function sides({ records }: Delivery): Record<'written' | 'gone', readonly SinkRecord[]> {
    const isGone = ({ op }: SinkRecord): boolean => soft === undefined && op === 'delete';
    return { written: records.filter((record) => !isGone(record)), gone: records.filter(isGone) };
  }

  function writeRequest(records: readonly SinkRecord[]): HttpRequest {
    const inputs = records.map((record) => ({
      ...(node.mode === 'insert_only' ? {} : { id: idOf(record), idProperty }),
      // What an error names the input by.
      objectWriteTraceId: record.seq,
      properties: propertiesOf(record),
    }));
    const verb = node.mode === 'insert_only' ? 'create' : node.mode === 'update_only' ? 'update' : 'upsert';
    return requestOf(`batch/${verb}`, { inputs });
  }

  function readRequest(records: readonly SinkRecord[]): HttpRequest {
    const inputs = records.map((record) => ({ id: idOf(record) }));
    return requestOf('batch/read', { idProperty, properties: [idProperty], inputs });
  }

  function archiveRequest(ids: readonly string[]): HttpRequest {
    return requestOf('batch/archive', { inputs: ids.map((id) => ({ id })) });
  }

  async function write(records: readonly SinkRecord[], signal: AbortSignal): Promise<Refusal[]> {
    const { errors = [] } = await post(writeRequest(records), signal);
    const refused = new Map<string, Refusal>();
    for (const { message, category, context } of errors) {
      const reason = [category, message].filter((part) => part !== undefined).join(': ');
      const named = new Set([
        ...(context?.['objectWriteTraceId'] ?? []),
        ...(context?.['ids'] ?? []),
        ...(context?.['id'] ?? []),
      ]);
      const found = records.filter((record) => named.has(record.seq) || named.has(idOf(record)));
      // An error that names nobody is about the batch: it is split until it does.
      if (found.length === 0) throw new ReceiverError('refused', reason, { status: 207 });
      for (const record of found) refused.set(record.seq, { record, reason, status: 207 });
    }
    return [...refused.values()];
  }

  /** Archiving asks for HubSpot's own ids. What is not there is gone already. */
  async function archive(records: readonly SinkRecord[], signal: AbortSignal): Promise<void> {
    const { results = [] } = await post(readRequest(records), signal);
    if (results.length === 0) return;
    await post(archiveRequest(results.map(({ id }) => id)), signal);
  }

  function idOf(record: SinkRecord): string {
    return textOf(keyValues(record, shape)?.[idProperty] ?? null);
  }

  /** All values are texts there; an empty one clears the property. */
  function propertiesOf(record: SinkRecord): Record<string, string> {
    const row: JsonRow =
      record.row === null ? { ...keyValues(record, shape), ...soft } : rowValues(record.row, shape);
    return objectOf(
      entriesOf(row)
        .filter(([, value]) => !keepNulls || value !== null)
        .map(([name, value]) => [name, textOf(value)]),
    );
  }

  function requestOf(path: string, body: object): HttpRequest {
    return {
      url: `${base}/crm/v3/objects/${object}/${path}`,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: stringifyJson(body as Writable),
    };
  }

  async function post(request: HttpRequest, signal: AbortSignal): Promise<BatchAnswer> {
    const answer = await sender.send(request, signal);
    return answer.text === '' ? {} : (parseJson(answer.text) as BatchAnswer);
  }
}

function textOf(value: ExactJson): string {
  return value === null ? '' : textOfJson(value);
}

/**
 * Salesforce through its REST API: sObject Collections (up to 200 records a request), composite batches for deletes and
 * updates by external id, and Bulk API 2.0 where many records come at once. Written after the REST API and Bulk API 2.0
 * developer guides; tested against a local stand-in, not against an org.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { JsonRow } from '../../changelog/change.ts';
import { stringifyJson, textOfJson } from '../../json/exact-json.ts';
import type { ExactJson, Writable } from '../../json/exact-json.ts';
import type { Refusal } from '../settle.ts';
import { keyValues, rowValues } from '../record.ts';
import type { Delivery, SinkRecord } from '../record.ts';
import { numberSetting, requiredSetting, textSetting } from '../sink.ts';
import { requireKey } from './crm-key.ts';
import { answerError, HttpSender, shownRequest } from './http.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { ReceiverError } from './receiver.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';
import { readUrl } from './webhook.ts';
import { entriesOf, keysOf, objectOf } from '../../json/member-order.ts';

const COLLECTION = 200;
const COMPOSITE = 25;
const BULK_RECORDS = 10_000;
const bulkPollMs = 500;

interface SaveResult {
  readonly success: boolean;
  readonly errors?: readonly { readonly statusCode?: string; readonly message?: string }[];
}

/** A request without its session. A text is CSV. */
interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: object | string;
}

export function salesforceReceiver({ sink, shape }: ReceiverContext): Receiver {
  const { settings, node } = sink;
  const base = readUrl(sink, 'instance_url').replace(/\/+$/, '');
  const object = encodeURIComponent(requiredSetting(sink, 'object'));
  const externalId = requiredSetting(sink, 'external_id');
  requireKey(sink, shape, externalId, 'external_id');
  const data = `/services/data/${textSetting(settings, 'api_version') ?? 'v62.0'}`;
  const jobs = `${data}/jobs/ingest`;
  const bulkFrom = numberSetting(settings, 'bulk_from', 2000);
  const keepNulls = textSetting(settings, 'nulls') === 'keep';
  const sender = new HttpSender({
    timeoutMs: numberSetting(settings, 'timeout', 60) * 1000,
    perSecond: numberSetting(settings, 'requests_per_second', 0),
  });
  let token = textSetting(settings, 'access_token');
  return {
    limits: {
      concurrency: numberSetting(settings, 'concurrency', 1),
      records: numberSetting(settings, 'batch_size', bulkFrom > 0 ? BULK_RECORDS : COLLECTION),
    },
    async send(delivery, signal) {
      const refused: Refusal[] = [];
      const { bulk, collections, updates, deletes } = partsOf(delivery);
      if (bulk.length > 0) refused.push(...(await bulkUpsert(bulk, signal)));
      for (const some of collections) refused.push(...(await collection(some, signal)));
      for (const some of updates) refused.push(...(await composite(some, 'PATCH', signal)));
      for (const some of deletes) refused.push(...(await composite(some, 'DELETE', signal)));
      return refused;
    },
    outgoing(delivery) {
      const { bulk, collections, updates, deletes } = partsOf(delivery);
      const calls = [
        ...(bulk.length === 0 ? [] : [jobCall(), uploadCall(`${jobs}/<id of the job>`, bulk)]),
        ...collections.map(collectionCall),
        ...updates.map((some) => compositeCall(some, 'PATCH')),
        ...deletes.map((some) => compositeCall(some, 'DELETE')),
      ];
      return calls.map((call) => shownRequest(requestOf(call, '')));
    },
    close: async () => {},
  };

  /** Which records of a batch go in which requests. */
  function partsOf({ records }: Delivery) {
    const soft = typeof node.on_delete === 'object' ? node.on_delete : undefined;
    const isGone = ({ op }: SinkRecord): boolean => soft === undefined && op === 'delete';
    const written = records.filter((record) => !isGone(record));
    const isBulk = bulkFrom > 0 && written.length >= bulkFrom && node.mode === 'upsert';
    const isUpdate = node.mode === 'update_only';
    return {
      bulk: isBulk ? written : [],
      collections: [...chunks(isBulk || isUpdate ? [] : written, COLLECTION)],
      updates: [...chunks(isUpdate ? written : [], COMPOSITE)],
      deletes: [...chunks(records.filter(isGone), COMPOSITE)],
    };
  }

  function fieldsOf(record: SinkRecord): JsonRow {
    const soft = typeof node.on_delete === 'object' ? node.on_delete : {};
    const row =
      record.row === null
        ? objectOf([...entriesOf(keyValues(record, shape) ?? {}), ...entriesOf<ExactJson>(soft)])
        : rowValues(record.row, shape);
    return keepNulls ? objectOf(entriesOf(row).filter(([, value]) => value !== null)) : row;
  }

  function collectionCall(records: readonly SinkRecord[]): Call {
    const insert = node.mode === 'insert_only';
    const body = {
      allOrNone: false,
      records: records.map((record) =>
        objectOf<Writable>([
          ['attributes', { type: decodeURIComponent(object) }],
          ...entriesOf(fieldsOf(record)),
        ]),
      ),
    };
    const path = `${data}/composite/sobjects${insert ? '' : `/${object}/${encodeURIComponent(externalId)}`}`;
    return { method: insert ? 'POST' : 'PATCH', path, body };
  }

  async function collection(records: readonly SinkRecord[], signal: AbortSignal): Promise<Refusal[]> {
    const answer = await request(collectionCall(records), signal);
    const results = JSON.parse(answer.text) as SaveResult[];
    return records.flatMap((record, index) => {
      const result = results[index];
      if (result?.success === true) return [];
      return [refusal(record, result?.errors?.[0]?.statusCode, result?.errors?.[0]?.message)];
    });
  }

  async function composite(
    records: readonly SinkRecord[],
    method: 'PATCH' | 'DELETE',
    signal: AbortSignal,
  ): Promise<Refusal[]> {
    const answer = await request(compositeCall(records, method), signal);
    const { results } = JSON.parse(answer.text) as {
      results: { statusCode: number; result?: { errorCode?: string; message?: string }[] | null }[];
    };
    return records.flatMap((record, index) => {
      const { statusCode, result } = results[index] ?? { statusCode: 500 };
      // Gone already, or never there: what was wanted.
      if (statusCode < 300 || (method === 'DELETE' && statusCode === 404)) return [];
      return [{ ...refusal(record, result?.[0]?.errorCode, result?.[0]?.message), status: statusCode }];
    });
  }

  function compositeCall(records: readonly SinkRecord[], method: 'PATCH' | 'DELETE'): Call {
    const batchRequests = records.map((record) => {
      const fields = fieldsOf(record);
      const value = encodeURIComponent(textOf(keyValues(record, shape)?.[externalId] ?? null));
      const rest = objectOf(entriesOf(fields).filter(([name]) => name !== externalId));
      const url = `${data.slice('/services/data/'.length)}/sobjects/${object}/${encodeURIComponent(externalId)}/${value}`;
      return method === 'DELETE'
        ? { method, url }
        : { method, url: `${url}?updateOnly=true`, richInput: rest };
    });
    return { method: 'POST', path: `${data}/composite/batch`, body: { batchRequests } };
  }

  async function bulkUpsert(records: readonly SinkRecord[], signal: AbortSignal): Promise<Refusal[]> {
    const made = await request(jobCall(), signal);
    const { id } = JSON.parse(made.text) as { id: string };
    const job = `${jobs}/${encodeURIComponent(id)}`;
    await request(uploadCall(job, records), signal);
    await request({ method: 'PATCH', path: job, body: { state: 'UploadComplete' } }, signal);
    for (;;) {
      const { text } = await request({ method: 'GET', path: job }, signal);
      const { state, errorMessage } = JSON.parse(text) as { state: string; errorMessage?: string };
      if (state === 'JobComplete') break;
      if (state === 'Failed' || state === 'Aborted') {
        throw new ReceiverError('again', `bulk job ${id} ${state.toLowerCase()}: ${errorMessage ?? ''}`);
      }
      await sleep(bulkPollMs, undefined, { signal }).catch((cause: unknown) => {
        throw new ReceiverError('again', 'stopped', { cause });
      });
    }
    const failed = await request({ method: 'GET', path: `${job}/failedResults` }, signal);
    const byKey = new Map(records.map((record) => [textOf(fieldsOf(record)[externalId] ?? null), record]));
    const lines = parse<Record<string, string>>(failed.text, { columns: true, skip_empty_lines: true });
    return lines.flatMap((line) => {
      const record = byKey.get(line[externalId] ?? '');
      const [code, message] = (line['sf__Error'] ?? '').split(':');
      return record === undefined ? [] : [refusal(record, code, message)];
    });
  }

  function jobCall(): Call {
    const body = {
      object: decodeURIComponent(object),
      externalIdFieldName: externalId,
      contentType: 'CSV',
      operation: 'upsert',
      lineEnding: 'LF',
    };
    return { method: 'POST', path: jobs, body };
  }

  function uploadCall(job: string, records: readonly SinkRecord[]): Call {
    const rows = records.map(fieldsOf);
    const columns = [...new Set(rows.flatMap((row) => keysOf(row)))];
    // In this API an empty cell leaves a field as it is; #N/A makes it empty.
    const cells = rows.map((row) =>
      columns.map((name) => (row[name] === null ? '#N/A' : row[name] === undefined ? '' : textOf(row[name]))),
    );
    return { method: 'PUT', path: `${job}/batches`, body: stringify([columns, ...cells]) };
  }

  /** @throws ReceiverError (again) for a reason that passes, so that the record is not parked */
  function refusal(record: SinkRecord, code: string | undefined, message: string | undefined): Refusal {
    const reason =
      [code, message].filter((part) => part !== undefined && part !== '').join(': ') || 'no reason given';
    if (code === 'UNABLE_TO_LOCK_ROW' || code === 'SERVER_UNAVAILABLE' || code === 'REQUEST_LIMIT_EXCEEDED') {
      throw new ReceiverError('again', reason);
    }
    return { record, reason, status: null };
  }

  function requestOf({ method, path, body }: Call, session: string): HttpRequest {
    const csv = typeof body === 'string';
    return {
      url: `${base}${path}`,
      method,
      headers: {
        authorization: `Bearer ${session}`,
        'content-type': csv ? 'text/csv; charset=UTF-8' : 'application/json; charset=UTF-8',
      },
      ...(body === undefined ? {} : { body: csv ? body : stringifyJson(body as Writable) }),
    };
  }

  async function request(call: Call, signal: AbortSignal): Promise<HttpAnswer> {
    for (let renewed = false; ; renewed = true) {
      token ??= await logIn(signal);
      const answer = await sender.exchange(requestOf(call, token), signal);
      if (answer.status < 300) return answer;
      // A session that has ended is begun again, once.
      if (answer.status === 401 && !renewed && textSetting(settings, 'client_id') !== undefined) {
        token = undefined;
        continue;
      }
      if (answer.status === 403 && answer.text.includes('REQUEST_LIMIT_EXCEEDED'))
        throw answerError(answer, 'again');
      throw answerError(answer);
    }
  }

  /** OAuth 2.0 client credentials flow. */
  async function logIn(signal: AbortSignal): Promise<string> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: requiredSetting(sink, 'client_id'),
      client_secret: requiredSetting(sink, 'client_secret'),
    });
    const answer = await sender.exchange(
      {
        url: `${base}/services/oauth2/token`,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      },
      signal,
    );
    // 400 is what a wrong client gets: nothing about the records.
    if (answer.status >= 300) throw answerError(answer, answer.status >= 500 ? 'again' : 'down');
    return (JSON.parse(answer.text) as { access_token: string }).access_token;
  }
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

function textOf(value: ExactJson): string {
  return value === null ? '' : textOfJson(value);
}

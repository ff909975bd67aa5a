/**
 * Files of changes, in partitions named as Hive names them. A batch is whole files: they are written beside their place,
 * synced, and renamed into it, under names made of the batch, so that writing a batch again gives the same files and a
 * reader sees each file whole or not at all: exactly once.
 */
import { open, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import type { JsonRow, JsonValue } from '../../changelog/change.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { textOfJson } from '../../json/exact-json.ts';
import type { ExactJson } from '../../json/exact-json.ts';
import { changeText, keyValues, rowText, rowValues } from '../record.ts';
import type { Delivery, SinkRecord } from '../record.ts';
import { listSetting, numberSetting, requiredSetting, textSetting } from '../sink.ts';
import { ReceiverError } from './receiver.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';

const compressed = promisify(gzip);

/** What stands for NULL in the name of a partition. */
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__';

export function fileReceiver(context: ReceiverContext): Receiver {
  const { sink, shape } = context;
  const { settings } = sink;
  const folder = path.resolve(sink.root, requiredSetting(sink, 'path'));
  const csv = textSetting(settings, 'format') === 'csv';
  const zip = textSetting(settings, 'compress') !== 'none';
  const partitions = listSetting(settings, 'partition_by');
  const time = readTime(settings['partition_time']);
  for (const name of [...partitions, ...(time?.column === undefined ? [] : [time.column])]) {
    const known = shape.fields.map((field) => field.name);
    if (known.includes(name)) continue;
    throw segError('SEG728', `sink "${sink.name}" partitions by "${name}", which its records do not have`, {
      at: sink.node.at,
      hint: didYouMean(name, known) ?? `They have ${known.join(', ')}.`,
    });
  }
  const records = numberSetting(settings, 'max_records', 50_000);
  // Changes say what happened; a lake of records needs no word for it.
  const plain = sink.node.mode === 'insert_only' || shape.position !== null;
  return {
    limits: {
      concurrency: 1,
      records,
      hold: {
        records,
        bytes: numberSetting(settings, 'max_bytes', 16 * 1024 * 1024),
        seconds: numberSetting(settings, 'max_seconds', 60),
      },
    },
    async send(delivery) {
      try {
        for (const { directory, name, text } of filesOf(delivery)) {
          const bytes = Buffer.from(text, 'utf8');
          await writeFile(directory, name, zip ? await compressed(bytes) : bytes);
        }
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        throw new ReceiverError(code === 'ENOSPC' || code === 'EMFILE' ? 'again' : 'down', message, {
          cause: error,
        });
      }
      return [];
    },
    outgoing: (delivery) =>
      filesOf(delivery).map(({ directory, name, text }) => ({ to: path.join(directory, name), body: text })),
    close: async () => {},
  };

  function filesOf(delivery: Delivery): { directory: string; name: string; text: string }[] {
    const name = fileName(delivery);
    return [...partitioned(delivery.records)].map(([place, some]) => ({
      directory: path.join(folder, place),
      name,
      text: csv ? csvText(some) : some.map((record) => `${lineOf(record)}\n`).join(''),
    }));
  }

  /** Position range, then the batch and whose it is: a split step, or a database made anew, writes over no file. */
  function fileName({ number, records: all }: Delivery): string {
    const first = all.reduce((least, record) => (record.first < least ? record.first : least), all[0]!.first);
    const last = all.reduce((most, record) => (record.last > most ? record.last : most), all[0]!.last);
    const range = [first, last].map((end) => context.position(end)).join('-');
    return `${range}.${number}-${context.instance.slice(0, 8)}.${csv ? 'csv' : 'ndjson'}${zip ? '.gz' : ''}`;
  }

  function partitioned(all: readonly SinkRecord[]): Map<string, SinkRecord[]> {
    const found = new Map<string, SinkRecord[]>();
    for (const record of all) {
      const text = record.row ?? record.before;
      const row =
        partitions.length > 0 || time?.column !== undefined
          ? text === null
            ? {}
            : rowValues(text, shape)
          : {};
      const parts = partitions.map((name) => `${hiveEscape(name)}=${hiveValue(row[name] ?? null)}`);
      if (time !== undefined) parts.push(...timeParts(time, row, record));
      const place = parts.join('/');
      const same = found.get(place);
      if (same === undefined) found.set(place, [record]);
      else same.push(record);
    }
    return found;
  }

  function lineOf(record: SinkRecord): string {
    if (plain && record.row !== null) return rowText(record.row, shape);
    return changeText(record, shape, context.position);
  }

  function csvText(some: readonly SinkRecord[]): string {
    const names = shape.fields.map((field) => field.name);
    const head = plain ? names : ['_op', '_position', '_at', ...names];
    const rows = some.map((record) => {
      const text = record.row ?? record.before;
      const row = text === null ? (keyValues(record, shape) ?? {}) : rowValues(text, shape);
      const cells = names.map((name) => csvCell(row[name] ?? null));
      return plain ? cells : [record.op, context.position(record.last), record.at, ...cells];
    });
    return stringify([head, ...rows]);
  }
}

function csvCell(value: ExactJson): string | null {
  return value === null ? null : textOfJson(value);
}

async function writeFile(folder: string, name: string, bytes: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = path.join(folder, `.${name}.part`);
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path.join(folder, name));
  // The rename itself must outlive a power cut before the batch is settled.
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}

interface TimePartition {
  /** A field of the record; absent: when the change was committed. */
  readonly column: string | undefined;
  readonly by: 'hour' | 'day';
}

function readTime(value: JsonValue | undefined): TimePartition | undefined {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value))
    return undefined;
  return {
    column: typeof value['column'] === 'string' ? value['column'] : undefined,
    by: value['by'] === 'day' ? 'day' : 'hour',
  };
}

function timeParts(time: TimePartition, row: JsonRow, record: SinkRecord): string[] {
  const value = time.column === undefined ? record.at : row[time.column];
  const instant =
    typeof value === 'string'
      ? new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`)
      : undefined;
  const text = instant === undefined || Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
  const date = `utc_date=${text?.slice(0, 10) ?? NULL_PARTITION}`;
  return time.by === 'day' ? [date] : [date, `utc_hour=${text?.slice(11, 13) ?? NULL_PARTITION}`];
}

function hiveValue(value: ExactJson): string {
  if (value === null || value === '') return NULL_PARTITION;
  return hiveEscape(textOfJson(value));
}

/** As Hive writes names of partitions: what a path or a reader could misread becomes %XX. */
function hiveEscape(text: string): string {
  const escaped = Array.from(text, (character) =>
    character < ' ' || '\u007f"#%\'*/:=?\\{}[]^'.includes(character)
      ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
      : character,
  ).join('');
  // "." and ".." would lead out of the folder.
  return /^\.+$/.test(escaped) ? '%2E'.repeat(escaped.length) : escaped;
}

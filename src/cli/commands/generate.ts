import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandHandler } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import {
  csvHeader,
  formatRecords,
  generate as records,
  streamNames,
  type StreamName,
} from '../../connectors/generate.ts';
import type { GeneratorOptions } from '../../connectors/generators/options.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { findSource } from '../find-node.ts';
import { openProject } from '../open-project.ts';
import { counts, grouped, paceText, progress } from '../progress.ts';
import { streamingDoor } from '../../streaming/record-door.ts';
import { withSharedDatabase } from '../with-database.ts';

const DEFAULT_COUNT = 1000;
/** Records written at once: enough to keep a pipe busy, few enough to stop quickly. */
const CHUNK = 1000;
const TICK_MS = 100;

/** `seg generate STREAM`: to standard output, or with `--into` into a source of the project. */
export const generate: CommandHandler = async (context) => {
  const [name = ''] = context.args;
  const stream = streamNames.find((known) => known === name);
  if (stream === undefined) {
    throw segError('SEG907', `unknown stream "${name}"`, {
      hint: didYouMean(name, streamNames) ?? `The streams are ${streamNames.join(', ')}.`,
    });
  }
  const source = makeRecords(context, stream);
  return context.flags.given('into') ? intoSource(context, source) : toOutput(context, stream, source);
};

function makeRecords({ flags }: CommandContext, stream: StreamName): Generator<unknown, void> {
  const rate = flags.integer('rate');
  if (rate !== undefined && rate < 1) {
    throw segError('SEG903', `wrong value "${rate}" for --rate`, {
      hint: 'It takes a number of events per second, from 1.',
    });
  }
  const options: GeneratorOptions = {
    seed: flags.integer('seed'),
    count: flags.integer('count') ?? (rate === undefined ? DEFAULT_COUNT : undefined),
    users: flags.integer('users'),
    segments: flags.integer('segments'),
    skew: decimal(flags.string('skew'), 'skew'),
    repeat: decimal(flags.string('repeat'), 'repeat'),
    bots: decimal(flags.string('bots'), 'bots'),
    // Events made at a steady pace happen now, unless a start is given.
    ...(flags.given('start')
      ? { start: flags.string('start') }
      : rate === undefined
        ? {}
        : { clock: Date.now }),
  };
  try {
    return records(stream, options) as Generator<unknown, void>;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw segError('SEG903', error.message, { hint: '`seg generate --help` lists the flags.' });
  }
}

async function toOutput(context: CommandContext, stream: StreamName, source: Iterator<unknown>): Promise<0> {
  const { flags, signal } = context;
  const format = flags.string('format') === 'csv' ? 'csv' : 'json';
  const rate = flags.integer('rate');
  if (format === 'csv') await context.writeOut(csvHeader(stream));
  const started = performance.now();
  let written = 0;
  while (!signal.aborted) {
    const due =
      rate === undefined ? CHUNK : Math.floor(((performance.now() - started) / 1000) * rate) - written;
    const batch: unknown[] = [];
    let ended = false;
    while (batch.length < Math.min(due, CHUNK) && !ended) {
      const next = source.next();
      if (next.done === true) ended = true;
      else batch.push(next.value);
    }
    written += batch.length;
    if (batch.length > 0) await context.writeOut(formatRecords(stream, batch as never[], format));
    if (ended) break;
    if (rate !== undefined && batch.length < CHUNK)
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
  }
  return 0;
}

async function intoSource(context: CommandContext, source: Iterator<unknown>): Promise<0> {
  const { flags, log, signal } = context;
  const project = await openProject(context, { writeManifest: false });
  const target = findSource(project, flags.string('into')!);
  const { generateInto } = await import('../../connectors/generate-into.ts');
  const { show, end } = progress(context);
  const summary = await withSharedDatabase(context, project, (db) =>
    generateInto(db, target, source, {
      rate: flags.integer('rate'),
      signal,
      door: streamingDoor(db, project, target, 'generate'),
      onProgress: (now) =>
        show(() => paceText(now) + (now.behind > 0 ? `, ${grouped(now.behind)} behind the rate` : '')),
    }),
  ).finally(end);
  const { accepted, duplicate, rejected, seconds } = summary;
  const total = accepted + duplicate + rejected;
  log.info(
    `Generated into ${target.source_name}.${target.name}: ${counts(summary)} ` +
      `in ${seconds.toFixed(2)}s (${grouped(total / Math.max(seconds, 1e-3))} records/s)`,
    { name: 'IngestSummary', data: { source: target.unique_id, ...summary } },
  );
  return 0;
}

function decimal(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw segError('SEG903', `wrong value "${text}" for --${flag}`, { hint: 'It takes a number.' });
}

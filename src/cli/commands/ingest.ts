import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandHandler } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { ingest as ingestInto, type Rejection } from '../../connectors/ingest.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { findSource } from '../find-node.ts';
import { openProject } from '../open-project.ts';
import { streamingDoor } from '../../streaming/record-door.ts';
import { counts, grouped, paceText, progress } from '../progress.ts';
import { withSharedDatabase } from '../with-database.ts';

/** How many rejected records are shown; all of them are in the dead-letter table. */
const SHOWN_REJECTIONS = 5;

/** `seg ingest SOURCE [FILE|-]`: exit code 0 also with rejected records, 1 with `--strict`. */
export const ingest: CommandHandler = async (context) => {
  const { flags, log } = context;
  const [name = '', file = '-'] = context.args;
  const input = openInput(context, file);
  const project = await openProject(context, { writeManifest: false });
  const source = findSource(project, name);
  const format = flags.string('format') ?? formatOf(file) ?? source.format;
  const { show, end } = progress(context);
  const origin = file === '-' ? 'stdin' : file;
  const summary = await withSharedDatabase(context, project, (db) =>
    ingestInto(db, source, input, {
      door: streamingDoor(db, project, source, origin),
      format: format as 'json' | 'csv',
      origin,
      signal: context.signal,
      maxBatch: flags.integer('batch-size'),
      onRejected: rejectionReporter(context, file === '-' ? '<stdin>' : file),
      onProgress: (now) => show(() => paceText(now)),
    }),
  ).finally(end);
  const total = summary.accepted + summary.duplicate + summary.rejected;
  const rate = grouped(total / Math.max(summary.seconds, 1e-3));
  log.info(
    `Ingested into ${source.source_name}.${source.name}: ${counts(summary)} in ${summary.seconds.toFixed(2)}s (${rate} records/s)`,
    { name: 'IngestSummary', data: { source: source.unique_id, ...summary } },
  );
  if (summary.rejected > 0) {
    log.warn(
      `Rejected records are in ${source.schema}.${source.identifier}__rejected, with line, reason and payload`,
    );
  }
  return summary.rejected > 0 && flags.boolean('strict') ? 1 : 0;
};

function openInput(context: CommandContext, file: string): AsyncIterable<Uint8Array | string> {
  if (file === '-') return context.stdin();
  const path = resolve(context.cwd, file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) {
    throw segError(
      'SEG504',
      found === undefined ? `no file "${file}"` : `"${file}" is a folder, not a file`,
      {
        hint: 'Give a file of NDJSON or CSV (also .gz), or "-" to read standard input.',
      },
    );
  }
  return createReadStream(path, { highWaterMark: 1 << 20 });
}

/** By the name of the file; undefined when it does not say. */
function formatOf(file: string): 'json' | 'csv' | undefined {
  const name = file.toLowerCase().replace(/\.gz$/, '');
  if (name.endsWith('.csv')) return 'csv';
  return /\.(ndjson|jsonl|json)$/.test(name) ? 'json' : undefined;
}

function rejectionReporter(
  { log }: CommandContext,
  origin: string,
): (rejections: readonly Rejection[]) => void {
  let shown = 0;
  return (rejections) => {
    for (const { line, reason } of rejections) {
      if (shown < SHOWN_REJECTIONS) log.warn(`${origin}:${line}: rejected: ${reason}`);
      else if (shown === SHOWN_REJECTIONS) log.warn('more rejected records are not shown');
      shown++;
    }
  };
}

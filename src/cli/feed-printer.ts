import { stringifyJson, type Writable } from '../json/exact-json.ts';
import type { ChangeBatch, JsonRow } from '../changelog/change.ts';
import type { FeedItem } from '../feeds/hub.ts';
import type { Snapshot } from '../feeds/feed.ts';
import type { CommandContext } from './context.ts';
import { printRelation } from './print-relation.ts';
import { keysOf } from '../json/member-order.ts';

export type FeedForm = 'ndjson' | 'table' | 'csv';

/** One line of a table or CSV: what happened, and the row as it is then (as it was, when it went). */
interface Line {
  readonly position: string;
  readonly at: string;
  readonly op: string;
  readonly row: JsonRow;
}

/** Prints a feed as it comes; resolves when the reader has taken it. */
export type FeedPrinter = (item: FeedItem) => Promise<void>;

export function feedPrinter(context: CommandContext, form: FeedForm): FeedPrinter {
  if (form === 'ndjson') {
    return (item) =>
      'snapshot' in item ? printSnapshot(context, item.snapshot) : printBatch(context, item.batch);
  }
  let headed = false;
  return async (item) => {
    const lines = linesOf(item);
    if (lines.length === 0) return;
    const columns = keysOf(lines[0]!.row);
    const relation = {
      columns: ['position', 'at', 'op', ...columns],
      rows: lines.map(({ position, at, op, row }) => [
        position,
        at,
        op,
        ...columns.map((name) => row[name] ?? null),
      ]),
    };
    await printRelation(context, relation, form, { header: form === 'table' || !headed });
    headed = true;
  };
}

function linesOf(item: FeedItem): Line[] {
  if ('snapshot' in item) {
    const { position, rows } = item.snapshot;
    return rows.map((row) => ({ position, at: '', op: 'snapshot', row }));
  }
  const { position, at, changes } = item.batch;
  return changes.map(({ op, row, before }) => ({ position, at, op, row: (row ?? before)! }));
}

async function printSnapshot(context: CommandContext, { position, rows, more }: Snapshot): Promise<void> {
  const lines = rows.map((row) => ({ position, op: 'snapshot', row }));
  await printLines(context, lines.length > 0 ? lines : [{ position, op: 'snapshot' }], more !== true);
}

async function printBatch(context: CommandContext, { position, at, changes }: ChangeBatch): Promise<void> {
  await printLines(
    context,
    changes.map((change) => ({ position, at, ...change })),
  );
}

/** All lines of a step in one write, so that a reader that is killed has whole steps more often than not. */
async function printLines(
  context: CommandContext,
  lines: readonly Readonly<Record<string, Writable>>[],
  whole = true,
): Promise<void> {
  const text = lines.map((line, index) =>
    stringifyJson(whole && index === lines.length - 1 ? { ...line, last: true } : line),
  );
  await context.writeOut(`${text.join('\n')}\n`);
}

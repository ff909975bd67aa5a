/** What a sink does with the database at once, in one transaction: answers settled, changes taken in, batches bound. */
import type { Connection } from '../engines/connection.ts';
import { checkGuard } from './guard.ts';
import { takeIn } from './intake.ts';
import type { Place } from './place.ts';
import { splitBatch, takeBatches, waiting } from './queue.ts';
import { messageId } from './record.ts';
import type { Delivery, SinkRecord } from './record.ts';
import type { Receiver } from './receivers/receiver.ts';
import type { Outcome } from './sender.ts';
import { settleSome } from './settle.ts';
import type { Answered } from './settle.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';

/** A batch that more records join: a large one is bound in several steps, and sent after the last. */
export interface OpenBatch {
  readonly number: string;
  readonly records: readonly SinkRecord[];
  /** How many it will have, if there are so many. */
  readonly full: number;
}

export interface StepRequest {
  readonly sink: Sink;
  readonly shape: Shape;
  readonly place: Place;
  readonly limits: Receiver['limits'];
  /** Answers of which an earlier step has settled a part only. */
  readonly left: readonly Answered[];
  readonly outcomes: readonly Outcome[];
  readonly open: OpenBatch | null;
  /** The first batch that was bound and not settled; null: there is none. */
  readonly since: string | null;
  /** Whether changes may be taken in. */
  readonly takes: boolean;
  /** So many records are settled, changes or rows taken in, and records bound; what there is no room for is left to the next step. */
  readonly most: number;
  /** Whatever the guard says. */
  readonly confirm: boolean;
  /** Batches that may be bound, before the halves of those that are split. */
  readonly free: number;
  /** Whether everything is to go, and nothing waits for more to come together. */
  readonly flush: boolean;
  /** A later step has more to take in. */
  readonly moreToTake: boolean;
}

export interface StepResult {
  readonly place: Place;
  readonly batches: readonly Delivery[];
  readonly left: readonly Answered[];
  readonly open: OpenBatch | null;
  /** How many records it was that were settled, taken in and bound. */
  readonly rows: number;
  /** Whether changes were taken in. */
  readonly took: boolean;
  /** There was no room to bind any. */
  readonly full: boolean;
  readonly counts: {
    readonly taken: number;
    readonly sent: number;
    readonly unchanged: number;
    readonly rejected: number;
    readonly batches: number;
  };
  readonly moreToTake: boolean;
  readonly moreToSend: boolean;
  /** Records wait for others to come together. */
  readonly holding: boolean;
}

/** @throws GuardStop when what came in is more than the guard allows; then nothing was committed */
export function takeStep(db: Connection, request: StepRequest): Promise<StepResult> {
  const { sink, outcomes, most } = request;
  return db.transaction(async (tx): Promise<StepResult> => {
    let { place } = request;
    const counts = { taken: 0, sent: 0, unchanged: 0, rejected: 0, batches: 0 };
    const answers = [...request.left, ...outcomes.filter((outcome) => 'refused' in outcome)];
    const settled = await settleSome(tx, sink, place, answers, most);
    counts.sent += settled.records - settled.rejected;
    counts.rejected += settled.rejected;
    counts.batches += settled.batches;
    const halves: Delivery[] = [];
    for (const outcome of outcomes) {
      if ('split' in outcome) halves.push(...(await splitBatch(tx, sink, place, outcome.delivery)));
    }
    let { moreToTake } = request;
    let room = most - settled.records;
    const took = request.takes && room >= most / 4;
    if (took) {
      const intake = await takeIn(tx, sink, request.shape, place, room);
      // A receiver holds nothing that its first rows could change.
      if (intake.taken > 0 && !request.confirm && place.scan === null)
        await checkGuard(tx, sink, place, intake.taken);
      counts.taken += intake.taken;
      place = intake.place;
      moreToTake = intake.more;
      room -= intake.looked;
    } else if (request.takes) moreToTake = true;
    const free = request.free - halves.length;
    const full = free > 0 && room < most / 4;
    const bound =
      free <= 0 || full ? undefined : await bindSome(tx, { ...request, place, free, most: room, moreToTake });
    counts.unchanged += bound?.unchanged ?? 0;
    return {
      place,
      counts,
      moreToTake,
      left: settled.left,
      open: bound === undefined ? request.open : bound.open,
      batches: [...halves, ...(bound?.batches ?? [])],
      moreToSend: bound?.more ?? true,
      holding: bound?.holding ?? false,
      rows: most - room + (bound?.rows ?? 0),
      took,
      full,
    };
  });
}

interface Bound {
  readonly batches: readonly Delivery[];
  readonly open: OpenBatch | null;
  readonly unchanged: number;
  readonly rows: number;
  readonly more: boolean;
  readonly holding: boolean;
}

async function bindSome(tx: Connection, request: StepRequest): Promise<Bound> {
  const { sink, place, open, most, free, moreToTake, since } = request;
  const full = open?.full ?? (await mayTake(tx, request, request.flush && !moreToTake));
  const nothing = { batches: [], open: null, unchanged: 0, rows: 0, more: false, holding: false };
  if (full === 0) return { ...nothing, holding: true };
  const wholeLanes = request.limits.wholeLanes === true;
  if (open === null && (wholeLanes || full <= most)) {
    const batches = Math.min(free, Math.max(1, Math.floor(most / full)));
    const taken = await takeBatches(tx, sink, place, { batches, records: full, wholeLanes, since });
    const rows = taken.batches.reduce((sum, { records }) => sum + records.length, taken.unchanged);
    return { ...nothing, ...taken, rows };
  }
  const records = Math.min(most, full - (open?.records.length ?? 0));
  const limits = { batches: 1, records, wholeLanes, since, ...(open === null ? {} : { into: open.number }) };
  const { batches, unchanged, more } = await takeBatches(tx, sink, place, limits);
  const number = open?.number ?? batches[0]?.number;
  const rows = unchanged + (batches[0]?.records.length ?? 0);
  if (number === undefined) return { ...nothing, unchanged, rows, more };
  const all = [...(open?.records ?? []), ...(batches[0]?.records ?? [])];
  // What is still being taken in may follow.
  if (all.length < full && (more || moreToTake))
    return { ...nothing, open: { number, records: all, full }, unchanged, rows, more };
  const delivery = { number, id: messageId(place.instance, number, all), records: all };
  return { ...nothing, batches: [delivery], unchanged, rows, more };
}

/** How many records a batch may have now; 0 = wait for more to come together. */
async function mayTake(
  tx: Connection,
  { sink, place, limits: { hold, records } }: StepRequest,
  flush: boolean,
): Promise<number> {
  if (hold === undefined) return records;
  const now = await waiting(tx, sink, place.id, hold.records);
  if (now.records === 0) return records;
  const due = now.records >= hold.records || now.bytes >= hold.bytes || now.age >= hold.seconds;
  if (!flush && !due) return 0;
  const fit = Math.floor((hold.bytes * now.records) / Math.max(1, now.bytes));
  return Math.max(1, Math.min(hold.records, fit));
}

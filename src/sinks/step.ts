/** What a sink does with the database at once, in one transaction: answers settled, changes taken in, batches bound. */
import type { Connection } from '../engines/connection.ts';
import { checkGuard } from './guard.ts';
import { takeIn } from './intake.ts';
import type { Place } from './place.ts';
import { settle, splitBatch, takeBatches, waiting } from './queue.ts';
import type { Delivery } from './record.ts';
import type { Receiver } from './receivers/receiver.ts';
import type { Outcome } from './sender.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';

export interface StepRequest {
  readonly sink: Sink;
  readonly shape: Shape;
  readonly place: Place;
  readonly limits: Receiver['limits'];
  readonly outcomes: readonly Outcome[];
  /** Whether changes may be taken in. */
  readonly takes: boolean;
  /** Whatever the guard says. */
  readonly confirm: boolean;
  /** Batches that may be bound, before the halves of those that are split. */
  readonly free: number;
  /** Whether everything is to go, and nothing waits for more to come together. */
  readonly flush: boolean;
}

export interface StepResult {
  readonly place: Place;
  readonly batches: readonly Delivery[];
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
  const { sink, outcomes } = request;
  return db.transaction(async (tx) => {
    let { place } = request;
    const counts = { taken: 0, sent: 0, unchanged: 0, rejected: 0, batches: 0 };
    const answers = outcomes.filter((outcome) => 'refused' in outcome);
    await settle(tx, sink, place, answers);
    for (const { delivery, refused } of answers) {
      counts.sent += delivery.records.length - refused.length;
      counts.rejected += refused.length;
      counts.batches++;
    }
    const halves: Delivery[] = [];
    for (const outcome of outcomes) {
      if ('split' in outcome) halves.push(...(await splitBatch(tx, sink, place, outcome.delivery)));
    }
    let moreToTake = false;
    if (request.takes) {
      const intake = await takeIn(tx, sink, request.shape, place);
      if (intake.taken > 0 && !request.confirm) await checkGuard(tx, sink, place, intake.taken);
      counts.taken += intake.taken;
      place = { ...place, position: intake.position };
      moreToTake = intake.more;
    }
    const result = { place, counts, moreToTake, batches: halves, moreToSend: true, holding: false };
    const free = request.free - halves.length;
    if (free <= 0) return result;
    const records = await mayTake(tx, request, request.flush && !moreToTake);
    if (records === 0) return { ...result, moreToSend: false, holding: true };
    const wholeLanes = request.limits.wholeLanes === true;
    const taken = await takeBatches(tx, sink, place, { batches: free, records, wholeLanes });
    counts.unchanged += taken.unchanged;
    return { ...result, batches: [...halves, ...taken.batches], moreToSend: taken.more };
  });
}

/** How many records a batch may have now; 0 = wait for more to come together. */
async function mayTake(
  tx: Connection,
  { sink, place, limits: { hold, records } }: StepRequest,
  flush: boolean,
): Promise<number> {
  if (hold === undefined) return records;
  const now = await waiting(tx, sink, place.id);
  if (now.records === 0) return records;
  const due = now.records >= hold.records || now.bytes >= hold.bytes || now.age >= hold.seconds;
  if (!flush && !due) return 0;
  const fit = Math.floor((hold.bytes * now.records) / Math.max(1, now.bytes));
  return Math.max(1, Math.min(hold.records, fit));
}

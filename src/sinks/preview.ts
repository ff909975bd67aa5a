/**
 * `seg sync --dry-run`: what would be sent now, found by doing it in a transaction that is undone. The receiver is asked what
 * it would send, and not to send it.
 */
import { stateSchemaOf } from '../deploy/spec.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import type { SinkNode } from '../project/nodes.ts';
import { ensureState } from '../state/schema.ts';
import { beginSink } from './begin.ts';
import { checkGuard, GuardStop } from './guard.ts';
import { takeIn } from './intake.ts';
import { boundBatches, takeBatches } from './queue.ts';
import { makeReceiver } from './receivers/make-receiver.ts';
import { positionsOf } from './receivers/receiver.ts';
import type { Outgoing, Receiver } from './receivers/receiver.ts';
import { keyValues, rowValues } from './record.ts';
import type { Delivery, SinkRecord } from './record.ts';
import type { JsonRow } from '../changelog/change.ts';
import { shapeOf } from './shape.ts';
import type { Shape } from './shape.ts';
import { prepareSink } from './sink.ts';
import type { Sink } from './sink.ts';

export interface SinkPreview {
  readonly sink: string;
  readonly adds: number;
  readonly changes: number;
  readonly removes: number;
  /** Records that are back at what the receiver holds. */
  readonly unchanged: number;
  /** Why the guard would stop the run; null when it would not. */
  readonly held: string | null;
  readonly samples: readonly Sample[];
  /** What goes out for the samples, secrets masked. */
  readonly sends: readonly (Outgoing | Unsendable)[];
}

export type Sample = { readonly op: SinkRecord['op']; readonly record: JsonRow };

/** Records for which a template cannot be rendered: a run would park them. */
export interface Unsendable {
  readonly error: string;
}

class Undo extends Error {}

const SAMPLES = 3;
const PAGE = 5000;

/** @throws SegError as running the sink would */
export async function previewSink(
  db: Connection,
  project: Project,
  node: SinkNode,
  options: { readonly fullResync: boolean },
): Promise<SinkPreview> {
  const sink = prepareSink(project, node);
  let preview: SinkPreview | undefined;
  await db
    .transaction(async (tx) => {
      await ensureState(tx, stateSchemaOf(project));
      const shape = await shapeOf(tx, sink);
      const begun = await beginSink(tx, project, sink, shape, { ...options, confirm: true });
      let place = begun.place;
      let taken = begun.taken;
      for (let more = true; more;) {
        const intake = await takeIn(tx, sink, shape, place);
        ({ place } = intake);
        taken += intake.taken;
        more = intake.more;
      }
      const held = await checkGuard(tx, sink, place, taken).then(
        () => null,
        (error: unknown) => {
          if (error instanceof GuardStop) return error.message;
          throw error;
        },
      );
      const { instance } = place;
      const receiver = await makeReceiver({
        ...{ sink, shape, instance, position: positionsOf(shape) },
        writeOut: async () => {},
      });
      const sampler = new Sampler(sink, shape, receiver);
      for (const batch of await boundBatches(tx, sink, place)) sampler.see(batch);
      const { records, wholeLanes = false } = receiver.limits;
      const limits = { batches: Math.ceil(PAGE / records), records, wholeLanes };
      let unchanged = 0;
      for (let more = true; more;) {
        const some = await takeBatches(tx, sink, place, limits);
        for (const batch of some.batches) sampler.see(batch);
        unchanged += some.unchanged;
        more = some.more;
      }
      await receiver.close();
      const { insert: adds, update: changes, delete: removes } = sampler.counts;
      const { samples, sends } = sampler;
      preview = { sink: node.name, adds, changes, removes, unchanged, held, samples, sends };
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  return preview!;
}

/** Counts the records of batches, and keeps a few of each kind with what would go out for them. */
class Sampler {
  readonly counts = { insert: 0, update: 0, delete: 0 };
  readonly samples: Sample[] = [];
  readonly sends: (Outgoing | Unsendable)[] = [];
  readonly #sink: Sink;
  readonly #shape: Shape;
  readonly #receiver: Receiver;

  constructor(sink: Sink, shape: Shape, receiver: Receiver) {
    this.#sink = sink;
    this.#shape = shape;
    this.#receiver = receiver;
  }

  see(batch: Delivery): void {
    const chosen: SinkRecord[] = [];
    for (const record of batch.records) {
      if (this.counts[record.op]++ < SAMPLES) chosen.push(record);
    }
    if (chosen.length === 0) return;
    for (const record of chosen) {
      const row = record.row ?? record.before;
      const shown = row === null ? (keyValues(record, this.#shape) ?? {}) : rowValues(row, this.#shape);
      this.samples.push({ op: record.op, record: shown });
    }
    // What is grouped is whole, or it would say something else.
    const lanes = new Set(chosen.map(({ lane }) => lane));
    const records = this.#receiver.limits.wholeLanes
      ? batch.records.filter(({ lane }) => lanes.has(lane))
      : chosen;
    this.sends.push(...this.#outgoing({ ...batch, records }));
  }

  #outgoing(delivery: Delivery): (Outgoing | Unsendable)[] {
    try {
      return this.#receiver.outgoing(delivery).map((each) => this.#scrubbed(each));
    } catch (error) {
      if (!(error instanceof SegError)) throw error;
      return [{ error: this.#sink.scrub(error.message) }];
    }
  }

  #scrubbed({ to, headers, key, body, parameters }: Outgoing): Outgoing {
    const scrub = (text: string): string => this.#sink.scrub(text);
    return {
      to: scrub(to),
      ...(headers === undefined
        ? {}
        : {
            headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, scrub(text)])),
          }),
      ...(key === undefined ? {} : { key: scrub(key) }),
      body: body === null ? null : scrub(body),
      ...(parameters === undefined ? {} : { parameters: parameters.map(scrub) }),
    };
  }
}

/** `seg sync --dry-run`: what would be sent now, found by doing it in a transaction that is undone. */
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import type { SinkNode } from '../project/nodes.ts';
import { ensureState } from '../state/schema.ts';
import { beginSink } from './begin.ts';
import { checkGuard, GuardStop } from './guard.ts';
import { takeIn } from './intake.ts';
import { boundBatches, takeBatches } from './queue.ts';
import { keyValues, rowValues } from './record.ts';
import type { SinkRecord } from './record.ts';
import type { JsonRow } from '../changelog/change.ts';
import { shapeOf } from './shape.ts';
import { prepareSink } from './sink.ts';

export interface SinkPreview {
  readonly sink: string;
  readonly adds: number;
  readonly changes: number;
  readonly removes: number;
  /** Records that are back at what the receiver holds. */
  readonly unchanged: number;
  /** Why the guard would stop the run; null when it would not. */
  readonly held: string | null;
  readonly samples: { readonly op: SinkRecord['op']; readonly record: JsonRow }[];
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
        place = { ...place, position: intake.position };
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
      const counts = { insert: 0, update: 0, delete: 0 };
      const samples: { op: SinkRecord['op']; record: JsonRow }[] = [];
      const count = (records: readonly SinkRecord[]): void => {
        for (const record of records) {
          counts[record.op]++;
          if (samples.filter(({ op }) => op === record.op).length < SAMPLES) {
            const row = record.row ?? record.before;
            samples.push({
              op: record.op,
              record: row === null ? (keyValues(record, shape) ?? {}) : rowValues(row, shape),
            });
          }
        }
      };
      for (const batch of await boundBatches(tx, sink, place)) count(batch.records);
      let unchanged = 0;
      for (let more = true; more;) {
        const some = await takeBatches(tx, sink, place, { batches: 1, records: PAGE, wholeLanes: false });
        for (const batch of some.batches) count(batch.records);
        unchanged += some.unchanged;
        more = some.more;
      }
      preview = {
        sink: node.name,
        adds: counts.insert,
        changes: counts.update,
        removes: counts.delete,
        unchanged,
        held,
        samples,
      };
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  return preview!;
}

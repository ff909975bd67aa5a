/** What a sink sends, without a receiver: for scenarios, which expect the bodies that it would get. */
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import type { SinkNode } from '../project/nodes.ts';
import { ensureState } from '../state/schema.ts';
import { beginSink } from './begin.ts';
import { takeIn } from './intake.ts';
import { takeBatches } from './queue.ts';
import { makeReceiver } from './receivers/make-receiver.ts';
import { positionsOf } from './receivers/receiver.ts';
import type { Outgoing } from './receivers/receiver.ts';
import { settle } from './settle.ts';
import { shapeOf } from './shape.ts';
import { prepareSink } from './sink.ts';

const PAGE = 5000;

/**
 * One run of a sink whose receiver accepts everything: what has changed since the run before. Variables of the environment
 * that are not set have values that lead nowhere.
 * @throws SegError as running the sink would, and for a template that cannot be rendered
 */
export async function captureSink(db: Connection, project: Project, node: SinkNode): Promise<Outgoing[]> {
  const sink = prepareSink(project, node, { unset: standIn });
  return db.transaction(async (tx) => {
    await ensureState(tx, stateSchemaOf(project));
    const shape = await shapeOf(tx, sink);
    let { place } = await beginSink(tx, project, sink, shape, { fullResync: false, confirm: true });
    for (let more = true; more;) {
      const intake = await takeIn(tx, sink, shape, place);
      ({ place } = intake);
      more = intake.more;
    }
    const receiver = await makeReceiver({
      ...{ sink, shape, instance: place.instance, position: positionsOf(shape) },
      writeOut: async () => {},
    });
    const { records, wholeLanes = false } = receiver.limits;
    const sent: Outgoing[] = [];
    for (let more = true; more;) {
      const limits = { batches: Math.ceil(PAGE / records), records, wholeLanes };
      const some = await takeBatches(tx, sink, place, limits);
      for (const batch of some.batches) sent.push(...receiver.outgoing(batch));
      const answers = some.batches.map((delivery) => ({ delivery, refused: [] }));
      await settle(tx, sink, place, answers);
      more = some.more;
    }
    await receiver.close();
    return sent;
  });
}

/** For a setting that reads a variable which is not set: of the form that the setting has. */
function standIn(setting: string): string {
  if (/url$/.test(setting)) return 'https://unset.invalid/';
  return setting === 'connection' ? 'postgresql://unset.invalid/unset' : 'dW5zZXQ=';
}

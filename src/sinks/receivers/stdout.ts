/** Changes as NDJSON on standard output: for a pipe, and for looking at what a sink would send. */
import { changeText } from '../record.ts';
import type { Delivery } from '../record.ts';
import { numberSetting } from '../sink.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';

export function stdoutReceiver({ sink, shape, position, writeOut }: ReceiverContext): Receiver {
  return {
    limits: { concurrency: 1, records: numberSetting(sink.settings, 'batch_size', 1000) },
    async send(delivery) {
      await writeOut(linesOf(delivery));
      return [];
    },
    outgoing: (delivery) => [{ to: 'standard output', body: linesOf(delivery) }],
    close: async () => {},
  };

  function linesOf({ records }: Delivery): string {
    const name = JSON.stringify(sink.name);
    return records
      .map((record) => `{"sink":${name},${changeText(record, shape, position).slice(1)}\n`)
      .join('');
  }
}

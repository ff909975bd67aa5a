/** A process of the soak: is sent seeds, answers outcomes. */
import { Runner } from './bundle.ts';
import { featuresOf } from './features.ts';
import type { Size } from './spec.ts';

const { size, shrinkSeconds, features } = JSON.parse(process.argv[2]!) as {
  size: Size;
  shrinkSeconds: number;
  features: string;
};
const runner = new Runner(size, shrinkSeconds, featuresOf(features));
process.on('message', (seed: number) => {
  void runner.run(seed).then((outcome) => process.send!(outcome));
});
process.on('disconnect', () => process.exit(0));

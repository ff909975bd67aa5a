/** A process of the soak: is sent seeds, answers outcomes. */
import { Runner } from './bundle.ts';
import { featuresOf } from './features.ts';
import { SessionRunner } from './session-bundle.ts';
import type { Size } from './spec.ts';

const { size, shrinkSeconds, features, url, sessions } = JSON.parse(process.argv[2]!) as {
  size: Size;
  shrinkSeconds: number;
  features: string;
  url?: string;
  sessions: number;
};
const runner =
  url === undefined || sessions === 1
    ? new Runner(size, shrinkSeconds, featuresOf(features), url)
    : new SessionRunner(size, shrinkSeconds, featuresOf(features), url, sessions);
process.on('message', (seed: number) => {
  void runner.run(seed).then((outcome) => process.send!(outcome));
});
process.on('disconnect', () => process.exit(0));

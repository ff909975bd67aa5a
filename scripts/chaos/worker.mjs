// Ingests events in batches while the sinks follow, in one process; says what was acknowledged. It is killed at any time.
// With "drain" it ingests nothing and ends when everything is sent.
import { setTimeout as sleep } from 'node:timers/promises';
import { ingestRecords } from '../../dist/connectors/ingest.js';
import { openDatabase } from '../../dist/engines/registry.js';
import { loadProject } from '../../dist/project/load.js';
import { runSinks } from '../../dist/sinks/run-sinks.js';
import { event } from './project.mjs';

const [root, from, mode] = process.argv.slice(2);
const project = await loadProject({ projectDir: root, env: process.env });
const db = await openDatabase(project.target, { root, command: 'chaos' });
process.stdout.write('open\n');
const stop = new AbortController();
const report = (event) => {
  if (event.kind === 'end' && event.summary.status !== 'ok')
    process.stderr.write(`${JSON.stringify(event.summary)}\n`);
};
if (mode === 'drain') {
  const summaries = await runSinks(db, project, { follow: false, signal: stop.signal, onEvent: report });
  await db.close();
  process.exit(summaries.every(({ status }) => status === 'ok') ? 0 : 1);
}
const source = Object.values(project.manifest.sources)[0];
const sinks = runSinks(db, project, { follow: true, signal: stop.signal, onEvent: report });
sinks.catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(3);
});
for (let next = Number(from); ;) {
  const count = 1 + Math.floor(Math.random() * 20);
  const records = Array.from({ length: count }, (_, index) => event(next + index));
  await ingestRecords(db, source, records, 'chaos');
  next += count;
  process.stdout.write(`${next}\n`);
  await sleep(Math.random() * 40);
}

/** `seg sync` as a user types it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { events, streamProject } from './stream-project.ts';
import type { TestProject } from './run-seg.ts';

let project: TestProject;
beforeAll(async () => {
  project = streamProject();
  project.write('models/sinks.yml', 'sinks:\n  - {name: out, from: by_user, type: stdout, backfill: true}\n');
  await project.seg('build --quiet');
  await project.seg('ingest segment_events --quiet', { stdin: events(1, 14) });
});
afterAll(() => project.remove());

test('shows, sends, remembers what it has sent, and tells how it went', async () => {
  const preview = await project.seg('sync --dry-run --output json');
  expect(JSON.parse(preview.stdout)).toMatchObject({ sink: 'out', adds: 7, changes: 0, removes: 0 });
  const first = await project.seg('sync out');
  expect(first.status).toBe(0);
  expect(first.stdout.trim().split('\n')).toHaveLength(7);
  expect(first.log).toContain('Sink out: 7 sent');
  expect((await project.seg('sync')).stdout).toBe('');
  const status = await project.seg('sync status --output json');
  expect(JSON.parse(status.stdout)).toMatchObject({
    sinks: [{ sink: 'out', state: 'ok', waiting: 0 }],
    runs: [
      { status: 'ok', sent: 0 },
      { status: 'ok', sent: 7 },
    ],
  });
  expect((await project.seg('ls --select +sink:out --resource-type sink model')).stdout).toBe(
    'sink:stream.out\nstream.arrivals\nstream.by_user\n',
  );
});

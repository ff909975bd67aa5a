/** The first minutes of a new project, as its user types them; the rest is in project.e2e.slow.test.ts. */
import { afterAll, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

const project = new TestProject();
const seg = (args: string) => project.seg(args, { cwd: 'shop_demo' });
afterAll(() => project.remove());

it('is made, built, fed, read, and proven', async () => {
  expect(await project.seg('init shop_demo')).toMatchObject({ status: 0 });
  const built = await seg('build');
  expect(built.log).toContain('Ran 8 tests, 8 passed, 0 failed');
  expect(built.log).toContain('Done. PASS=12 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=12');
  expect(built.status).toBe(0);
  const ingested = await seg('ingest orders data/orders.ndjson');
  expect(ingested.log).toContain('Ingested into shop.orders: 6 accepted, 1 duplicate, 0 rejected');
  const shown = await seg('show revenue --output json');
  expect((JSON.parse(shown.stdout) as { show: unknown[] }).show.length).toBeGreaterThan(0);
  expect((await seg('run')).log).toContain('Done. PASS=0 WARN=0 ERROR=0 SKIP=0 NO-OP=3 TOTAL=3');
  expect(await seg('verify')).toMatchObject({ status: 0 });
});

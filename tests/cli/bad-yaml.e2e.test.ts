/** Property files of the wrong form: every mistake in one go, with its place; nothing is run. */
import { afterAll, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

const project = new TestProject({
  'dbt_project.yml': 'name: p\nprofile: p\n',
  'profiles.yml': 'p:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: data, schema: app}\n',
  'models/a.sql': 'select 1 as x',
});
afterAll(() => project.remove());

it('is refused with the place and what was expected', async () => {
  project.write('models/y.yml', '- a\n');
  const list = await project.seg('ls');
  expect(list.status).toBe(2);
  expect(list.log).toContain(
    'models/y.yml:1:1: error SEG110: wrong type for a property file: expected a mapping, found a list',
  );
  project.write('models/y.yml', 'models:\n  - name: a\n    columns: 3\n  - nam: b\n');
  const { status, log } = await project.seg('run');
  expect(status).toBe(2);
  expect(log).toContain(
    'models/y.yml:3:14: error SEG110: wrong type for "columns": expected a list, found the number 3',
  );
  expect(log).toContain('models/y.yml:4:5: warning SEG113: unknown key "nam" in a model');
  expect(log).toContain('models/y.yml:4:5: error SEG111: missing key "name" in a model');
}, 30_000);

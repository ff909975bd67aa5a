/** The repository's own project and its examples, as their users run them. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestProject } from './run-seg.ts';

const root = join(import.meta.dirname, '..', '..');
const parts = [
  'models',
  'sources',
  'seeds',
  'macros',
  'tests',
  'profiles.yml',
  'selectors.yml',
  'package.json',
  '.segignore',
];

test(
  'every data test, unit test and scenario of the segmentation project passes',
  { timeout: 500_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seg-reference-'));
    const project = new TestProject({}, folder);
    try {
      for (const part of parts) cpSync(join(root, part), join(project.root, part), { recursive: true });
      const { status, log } = await project.seg('build --target memory');
      const [, ran, passed, failed] = /Ran (\d+) tests, (\d+) passed, (\d+) failed/.exec(log) ?? [];
      expect({ passed, failed }, log.slice(-4000)).toEqual({ passed: ran, failed: '0' });
      expect(Number(ran)).toBeGreaterThan(200);
      expect(status).toBe(0);
    } finally {
      project.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test('the orders example builds', { timeout: 120_000 }, async () => {
  const project = new TestProject({}, join(root, 'examples', 'orders'));
  try {
    const { status, log } = await project.seg('build');
    expect(log).toContain('Completed successfully');
    expect(status).toBe(0);
  } finally {
    project.remove();
  }
});

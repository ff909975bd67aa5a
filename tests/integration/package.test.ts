/** The package as npm would publish it, installed into an empty folder from the registry. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let folder: string;

const run = (command: string, args: string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seg-package-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('installs elsewhere, and its seg makes and builds a project', () => {
  run('npm', ['pack', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(folder, 'package.json'), '{"name": "elsewhere", "private": true}');
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`], folder);
  const seg = join(folder, 'node_modules', '.bin', 'seg');
  run(seg, ['init', 'demo'], folder);
  run(seg, ['build'], join(folder, 'demo'));
  const answer = run(
    seg,
    ['show', '--inline', "select count(*) as products from {{ ref('products') }}", '--output', 'json'],
    join(folder, 'demo'),
  );
  expect(JSON.parse(answer)).toEqual({ show: [{ products: 3 }] });
  const packed = run('tar', ['-tzf', join(folder, tarball)], folder).split('\n');
  expect(
    packed.filter((file) => /\.test\.|\/tests\/|node_modules|\.ts$/.test(file) && !file.endsWith('.d.ts')),
  ).toEqual([]);
  expect(existsSync(join(folder, 'node_modules', 'seg', 'dist', 'assets', 'pglite-empty.tar.gz'))).toBe(true);
});

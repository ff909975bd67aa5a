/** The conformance suite (npm run test:engine) on the engines that are at hand here. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { onServer, serverUrl } from './postgres-project.ts';

const root = join(import.meta.dirname, '..', '..');

function conformance(target: string, env: NodeJS.ProcessEnv): string {
  const script = join(root, 'scripts', 'test-engine.mjs');
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [script, '--target', target, '--skip-build'],
    {
      cwd: root,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    },
  );
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

it('finds the embedded engine identical with itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seg-conformance-'));
  try {
    expect(conformance('pglite', { SEG_DATA: join(folder, 'data') })).toMatch(/all identical/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('finds PostgreSQL identical with the embedded engine', async () => {
  const server = new URL(serverUrl());
  await onServer('DROP DATABASE IF EXISTS seg_conformance WITH (FORCE)');
  await onServer('CREATE DATABASE seg_conformance');
  try {
    const env = {
      SEG_PG_HOST: server.hostname,
      SEG_PG_PORT: server.port,
      SEG_PG_USER: server.username,
      SEG_PG_DATABASE: 'seg_conformance',
    };
    expect(conformance('postgres', env)).toMatch(/all identical/);
  } finally {
    await onServer('DROP DATABASE IF EXISTS seg_conformance WITH (FORCE)');
  }
});

/** The conformance suite (npm run test:engine) on the engines that are at hand here, and against the stand-ins of those that are not. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startWireEngine } from '../streaming/wire-engine.ts';
import { onServer, serverUrl } from './postgres-project.ts';

const root = join(import.meta.dirname, '..', '..');

it('finds the other engines identical with the embedded one', async () => {
  const server = new URL(serverUrl());
  const [risingwave, materialize] = [
    await startWireEngine('risingwave'),
    await startWireEngine('materialize'),
  ];
  await onServer('DROP DATABASE IF EXISTS seg_conformance WITH (FORCE)');
  await onServer('CREATE DATABASE seg_conformance');
  try {
    const targets = ['postgres', 'risingwave', 'materialize'];
    const child = spawn(
      process.execPath,
      [
        join(root, 'scripts', 'test-engine.mjs'),
        '--skip-build',
        ...targets.flatMap((name) => ['--target', name]),
      ],
      {
        cwd: root,
        env: {
          ...process.env,
          SEG_PG_HOST: server.hostname,
          SEG_PG_PORT: server.port,
          SEG_PG_USER: server.username,
          SEG_PG_DATABASE: 'seg_conformance',
          SEG_RW_HOST: '127.0.0.1',
          SEG_RW_PORT: String(risingwave.port),
          SEG_MZ_HOST: '127.0.0.1',
          SEG_MZ_PORT: String(materialize.port),
        },
      },
    );
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    expect(status, `${stdout}\n${stderr}`).toBe(0);
    for (const name of targets)
      expect(stdout).toMatch(new RegExp(`${name}: [1-9]\\d* answers, all identical`));
  } finally {
    await onServer('DROP DATABASE IF EXISTS seg_conformance WITH (FORCE)');
    await risingwave.close();
    await materialize.close();
  }
});

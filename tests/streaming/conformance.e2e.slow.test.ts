/** The conformance suite against the stand-ins: it is ready for the engines themselves. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startWireEngine } from './wire-engine.ts';

const root = join(import.meta.dirname, '..', '..');

it.each(['risingwave', 'materialize'] as const)('%s', { timeout: 300_000 }, async (engine) => {
  const wire = await startWireEngine(engine);
  try {
    const port = String(wire.port);
    const child = spawn(
      process.execPath,
      [join(root, 'scripts', 'test-engine.mjs'), '--target', engine, '--skip-build'],
      {
        cwd: root,
        env: {
          ...process.env,
          SEG_RW_HOST: '127.0.0.1',
          SEG_RW_PORT: port,
          SEG_MZ_HOST: '127.0.0.1',
          SEG_MZ_PORT: port,
        },
      },
    );
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status, output).toBe(0);
    expect(output).toMatch(/all identical/);
  } finally {
    await wire.close();
  }
});

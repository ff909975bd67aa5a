/**
 * Every command of the built program against stand-ins for the streaming engines that speak PostgreSQL's protocol: the
 * statements that reach an engine are the ones that docs/engines.md lists.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { TestProject } from '../cli/run-seg.ts';
import type { SegResult } from '../cli/run-seg.ts';
import { templates } from './statement-templates.ts';
import { startWireEngine } from './wire-engine.ts';
import type { WireEngine } from './wire-engine.ts';

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

describe.each(['risingwave', 'materialize'] as const)('%s', (engine: StreamingEngine) => {
  let wire: WireEngine;
  let project: TestProject;
  beforeAll(async () => {
    wire = await startWireEngine(engine);
    project = new TestProject();
    for (const part of parts) cpSync(join(root, part), join(project.root, part), { recursive: true });
  });
  afterAll(async () => {
    await wire.close();
    project.remove();
  });

  async function seg(args: string, status = 0): Promise<SegResult> {
    const port = String(wire.port);
    const result = await project.seg(`${args} --target ${engine}`, {
      env: { SEG_RW_HOST: '127.0.0.1', SEG_RW_PORT: port, SEG_MZ_HOST: '127.0.0.1', SEG_MZ_PORT: port },
    });
    expect(result.status, `seg ${args}\n${result.log.slice(-6000)}${result.stdout.slice(-1000)}`).toBe(
      status,
    );
    return result;
  }

  it('runs the whole project', { timeout: 500_000 }, async () => {
    expect((await seg('debug')).log).toContain('All checks passed');
    await seg('plan');
    await seg('seed');
    await seg('run');
    expect((await seg('run')).log).not.toContain('CREATE');
    const streams = [
      'generate segment_events --into segment_events --count 200 --users 20 --segments 5 --seed 7',
      'generate activity_events --into activity_events --count 200 --users 15 --seed 7',
      'generate track_events --into track_events --count 200 --users 15 --seed 7',
      'generate pageviews --into pageviews --count 200 --users 10 --seed 7',
    ];
    for (const stream of streams) await seg(stream);
    expect((await seg(streams[0]!)).log).toContain('200 duplicate');
    expect((await seg('test --resource-type test')).log).toMatch(/Ran \d+ tests, \d+ passed, 0 failed/);
    const { log } = await seg('build --select user_mql_score linked_identities_share_a_user');
    expect(log).toContain('Completed successfully');
    await seg('verify');
    expect((await seg('show segment_sizes')).stdout).toContain('vendor');
    expect(JSON.parse((await seg('show segment_sizes --output json --limit 3')).stdout)).toMatchObject({
      show: [{}, {}, {}],
    });
    await seg(['show', '--inline', 'select/**/1/**/as/**/one'].join(' '));
    const lines = (await seg('subscribe segment_sizes --no-follow')).stdout.trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ op: 'snapshot', last: true });
  });

  it('exchanges a changed model with everything below it', { timeout: 200_000 }, async () => {
    const path = 'models/memberships/segment_memberships.sql';
    project.write(path, `${project.read(path)}\n-- changed\nhaving count(*) > 0\n`);
    const { log } = await seg('run --select segment_memberships');
    expect(log).toContain('REPLACE');
    expect(log).toContain('model "user_profiles" followed');
    await seg('verify');
    expect((await seg('run')).log).not.toContain('REPLACE');
  });

  it('sends nothing but the statements that docs/engines.md was written from', async () => {
    // How often an engine is asked for a view's progress depends on the time it takes.
    const sent = templates(wire.sent.map(({ sql }) => sql)).sort();
    await expect(`${sent.join(';\n\n')};\n`).toMatchFileSnapshot(
      `../golden/engines/statements-${engine}.sql`,
    );
  });
});

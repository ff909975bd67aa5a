// This project as the benchmark of `seg serve` runs it: five sinks that need no other server than the benchmark's receiver, and changes
// that are kept for a minute, so that what has to stay flat can stay flat.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './project-database.mjs';

const SINKS = ['toggle_notifications', 'mql_alerts', 'profile_push', 'crm_mqls', 'segment_lake'];
const cli = join(root, 'dist/cli/main.js');

/** Copies the project into a folder; answers the names of its sinks. */
export function writeProject(folder) {
  for (const name of ['models', 'macros', 'seeds', 'sources', 'profiles.yml', 'selectors.yml'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  const settings = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  Object.assign(settings.seg.models.segmentation, {
    '+retain_history': '1 minute',
    '+retain_changes': 50_000,
  });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bench', seg: settings.seg }));
  const file = join(folder, 'models/sinks.yml');
  const parts = readFileSync(file, 'utf8').split(/\n(?= {2}- name: )/);
  const kept = parts.filter((part, n) => n === 0 || SINKS.some((name) => part.includes(`name: ${name}\n`)));
  if (kept.length !== SINKS.length + 1)
    throw new Error('models/sinks.yml has other sinks than the benchmark names');
  writeFileSync(file, kept.join('\n'));
  return SINKS;
}

/** Builds the project and serves it. @param nodeArgs for the server's process */
export async function serveProject(folder, env, nodeArgs = []) {
  const options = { cwd: folder, env: { ...process.env, SEG_DATA: 'data', ...env } };
  const build = spawn(
    process.execPath,
    [cli, 'build', '--quiet', '--exclude', 'resource_type:scenario', 'resource_type:unit_test'],
    {
      ...options,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [code] = await once(build, 'close');
  if (code !== 0) throw new Error(`seg build ended with ${code}`);
  const child = spawn(process.execPath, [...nodeArgs, cli, 'serve', '--port', '0', '--pg-port', '0'], {
    ...options,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    for (const line of text.split('\n'))
      if (/warn|error/i.test(line)) process.stderr.write(`seg serve: ${line}\n`);
  });
  const ended = once(child, 'close');
  for (;;) {
    const url = /on (http:\S+)/.exec(log)?.[1];
    if (url !== undefined) {
      return {
        url,
        pid: child.pid,
        async stop() {
          child.kill('SIGTERM');
          return (await ended)[0];
        },
      };
    }
    if (child.exitCode !== null) throw new Error(`seg serve has ended: ${log}`);
    await sleep(50);
  }
}

/** What Prometheus would see, by name with labels. */
export async function readMetrics(url) {
  const text = await (await globalThis.fetch(`${url}/metrics`)).text();
  const values = new Map();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_0-9]+(?:\{[^}]*\})?) ([-+.\de]+)$/i.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  return values;
}

// A project that is built and served by `seg serve` in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * Builds the project in a folder and serves it.
 * @param more.args of `seg serve`; more.node of the server's process; more.signal ends the build
 */
export async function serveProject(folder, env, more = {}) {
  // Ctrl-C in a terminal goes to every process of its group: who handles it decides what is ended, and when.
  const detached = process.listenerCount('SIGINT') > 0;
  const options = { cwd: folder, env: { ...process.env, ...env }, detached };
  const build = spawn(
    process.execPath,
    [cli, 'build', '--quiet', '--exclude', 'resource_type:scenario', 'resource_type:unit_test'],
    {
      ...options,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const endBuild = () => build.kill('SIGTERM');
  process.once('exit', endBuild);
  more.signal?.addEventListener('abort', endBuild, { once: true });
  const [code] = await once(build, 'close');
  process.off('exit', endBuild);
  more.signal?.throwIfAborted();
  if (code !== 0) throw new Error(`seg build ended with ${code}`);
  const child = spawn(
    process.execPath,
    [...(more.node ?? []), cli, 'serve', '--port', '0', '--pg-port', '0', ...(more.args ?? [])],
    {
      ...options,
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    for (const line of text.split('\n'))
      if (/warn|error/i.test(line)) (more.onWarning ?? defaultWarning)(line);
  });
  const ended = once(child, 'close');
  // Whatever ends this process, the server does not stay behind.
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  void ended.then(() => process.off('exit', end));
  for (;;) {
    const url = /on (http:\S+)/.exec(log)?.[1];
    const postgres = /(postgres:\S+)/.exec(log)?.[1];
    if (url !== undefined && postgres !== undefined) {
      return {
        url,
        postgres,
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

function defaultWarning(line) {
  process.stderr.write(`seg serve: ${line}\n`);
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

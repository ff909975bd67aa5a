// What a user waits for, measured as a user would: whole commands, each in a process of its own.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath, URL } from 'node:url';

export const about = 'whole commands, each in a process of its own, and seg ingest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const seg = join(root, 'dist/cli/main.js');
/** Seconds after which a command is given up. */
const limit = 120;
// The processor's time tells more than the clock's on a machine that has other things to do.
const reportCpu = `data:text/javascript,${encodeURIComponent(
  `import {writeFileSync} from 'node:fs';
   process.on('exit', () => writeFileSync(process.env.SEG_BENCH_CPU, JSON.stringify(process.cpuUsage())));`,
)}`;

export async function run({ quick, scratch, say, table }) {
  const bench = { scratch, runs: quick ? 1 : 3, records: quick ? 5000 : 50_000 };
  const projects = [
    { title: 'this project', folder: root, source: 'segment.segment_events', stream: true },
    { title: '50 models', folder: await generated(bench, 50), source: 'events.events_0' },
    { title: '500 models', folder: await generated(bench, 500), source: 'events.events_0' },
  ].slice(0, quick ? 2 : 3);
  const rows = new Map();
  for (const [index, project] of projects.entries()) {
    for (const [name, cell] of await measure(bench, project)) {
      say(`${project.title}: ${name}: ${cell}`);
      rows.set(name, [...(rows.get(name) ?? Array(index).fill('')), cell]);
    }
  }
  table(
    ['', ...projects.map(({ title }) => title)],
    [...rows].map(([name, cells]) => [name, ...cells]),
    `Best of ${bench.runs}: seconds (CPU seconds).`,
  );
}

async function measure(bench, project) {
  const { scratch, runs, records } = bench;
  const data = join(scratch, `data-${project.title.replaceAll(' ', '-')}`);
  const command = (...args) => timed(bench, project.folder, data, args);
  const figures = [];
  const row = async (name, times, work, before = async () => undefined) => {
    const all = [];
    for (let i = 0; i < times; i++) {
      await before();
      all.push(await work());
    }
    if (all.some(({ cpu }) => cpu === undefined)) return void figures.push([name, `> ${limit}`]);
    const best = all.reduce((a, b) => (b.cpu < a.cpu ? b : a));
    figures.push([name, `${best.wall.toFixed(2)} (${best.cpu.toFixed(2)})`]);
  };
  const fresh = () => rm(data, { recursive: true, force: true });
  await row('seg --version', runs, () => command('--version'));
  await row('seg ls', runs, () => command('ls'));
  await row(
    'seg build, new database',
    1,
    () => command('build', '--exclude', 'resource_type:scenario'),
    fresh,
  );
  await command('build', '--exclude', 'resource_type:scenario', 'resource_type:unit_test');
  await row('seg run, nothing changed', runs, () => command('run'));
  const rows = join(scratch, `${records}.ndjson`);
  if (project.stream === true) {
    const output = createWriteStream(rows);
    await timed(
      bench,
      project.folder,
      data,
      ['generate', 'segment_events', '--count', String(records)],
      output,
    );
  } else await writeEvents(rows, records);
  const { wall, cpu, text } = await command('ingest', project.source, rows, '--batch-size', '10000');
  const rate = /\(([\d,]+) records\/s\)/.exec(text)?.[1] ?? '?';
  figures.push([
    'seg ingest, records/s',
    cpu === undefined
      ? `< ${Math.round(records / limit)}`
      : `${rate} (${records} in ${wall.toFixed(1)} s, ${cpu.toFixed(1)} CPU s)`,
  ]);
  return figures;
}

/** Runs a seg command to its end; what it says on stderr is `text`. */
async function timed({ scratch }, folder, data, args, output) {
  const cpuFile = join(scratch, 'cpu.json');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--import',
      reportCpu,
      seg,
      ...args,
      ...(args[0].startsWith('-') ? [] : ['--target-path', join(scratch, 'target')]),
    ],
    {
      cwd: folder,
      env: { ...process.env, SEG_DATA: data, SEG_BENCH_CPU: cpuFile },
      stdio: ['ignore', output === undefined ? 'ignore' : 'pipe', 'pipe'],
    },
  );
  // WASM does not let go of the thread to hear a milder signal.
  const timer = setTimeout(() => child.kill('SIGKILL'), limit * 1000);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  if (output !== undefined) child.stdout.pipe(output);
  const status = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  if (child.killed) return { wall: undefined, cpu: undefined, text };
  if (status !== 0) throw new Error(`seg ${args.join(' ')} ended with ${status}:\n${text.slice(-2000)}`);
  const wall = (performance.now() - started) / 1000;
  const { user, system } = JSON.parse(await readFile(cpuFile, 'utf8'));
  return { wall, cpu: (user + system) / 1e6, text };
}

async function generated({ scratch }, models) {
  const folder = join(scratch, `project-${models}`);
  const script = join(root, 'scripts/generate-project.mjs');
  const child = spawn(process.execPath, [script, folder, '--models', String(models)], { stdio: 'inherit' });
  if ((await new Promise((resolve) => child.once('close', resolve))) !== 0) throw new Error('no project');
  return folder;
}

async function writeEvents(path, records) {
  const stream = createWriteStream(path);
  for (let id = 1; id <= records; id++) {
    const at = new Date(1.6e12 + id * 1000).toISOString();
    stream.write(
      `${JSON.stringify({ id, user: { id: `user ${(id * 7919) % 5000}` }, amount: (id * 31) % 100, at })}\n`,
    );
  }
  await new Promise((resolve) => stream.end(resolve));
}

// Rounds of trouble: seg takes records until something happens to it. After each round the database is opened again and asked whether
// what was acknowledged is stored, nothing twice, and whether the models are what their queries give.
import { Buffer } from 'node:buffer';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { writeRoundsProject } from './rounds-project.mjs';

const { AbortSignal, fetch } = globalThis;
const here = import.meta.dirname;
const main = join(here, '../../dist/cli/main.js');
/** A process that lives for a second does not gain from code that V8 has optimised. */
const quickStart = ['--liftoff-only', '--no-wasm-tier-up'];
const MEGABYTE = 2 ** 20;
/** A round has hung when it takes longer. */
const PATIENCE_MS = 120_000;

const random = (from, to) => from + Math.floor(Math.random() * (to - from + 1));
const chance = (probability) => Math.random() < probability;

/** seg as a process: what it writes is kept. */
function start(root, args, nodeArgs = []) {
  const child = spawn(process.execPath, [...quickStart, ...nodeArgs, main, ...args], {
    cwd: root,
    stdio: 'pipe',
  });
  const seg = { child, out: '', log: '', ended: undefined };
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('utf8').on('data', (text) => (seg.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (seg.log += text));
  const timer = setTimeout(() => {
    seg.hung = true;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  seg.ended = new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(signal ?? code);
    }),
  );
  return seg;
}

const hasEnded = ({ child }) => child.exitCode !== null || child.signalCode !== null;

/** Records from a number on; with `bytes` of a payload that cannot be compressed. */
const records = (from, count, bytes) =>
  Array.from({ length: count }, (_, index) => {
    const id = from + index;
    const payload = randomBytes(bytes >> 1).toString('hex');
    return `${JSON.stringify({ id, user_id: `user-${id % 97}`, amount: id % 13, payload })}\n`;
  }).join('');

export async function rounds(kind, argv) {
  const { values } = parseArgs({
    args: argv,
    options: { rounds: { type: 'string', default: '20' }, keep: { type: 'boolean', default: false } },
  });
  if (!existsSync(main))
    spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', cwd: join(here, '../..') });
  const place = mkdtempSync(join(tmpdir(), `seg-${kind}-`));
  const template = join(place, 'template');
  mkdirSync(template);
  writeRoundsProject(template);
  const built = spawnSync(process.execPath, [main, 'run', '--quiet'], { cwd: template, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`seg run failed: ${built.stderr}`);

  // As where space has been short for some time.
  if (kind === 'disk') writeFileSync(join(template, 'data/db/seg.reserve'), Buffer.alloc(32 * MEGABYTE, 1));
  const tally = new Tally(kind);
  const round = { kill: killRound, disk: diskRound, memory: memoryRound }[kind];
  const world = {
    place,
    template,
    root: join(place, 'project'),
    tally,
    number: 0,
    acknowledged: new Map(),
    stored: 0,
    checker: new Checker(),
  };
  let stopped = false;
  process.once('SIGINT', () => (stopped = true));
  let done = 0;
  try {
    for (world.number = 1; world.number <= Number(values.rounds) && !stopped; world.number++) {
      await round(world);
      done++;
      if (world.number % 20 === 0) tally.print(world.number);
      if (tally.problems.length > 0 && values.keep) break;
    }
  } finally {
    world.checker.end();
    if (kind === 'disk') unmount(world);
  }
  count(world);
  tally.print(done);
  if (!values.keep) rmSync(place, { recursive: true, force: true });
  else console.log(`The project is in ${place}`);
  process.exit(tally.problems.length === 0 ? 0 : 1);
}

class Tally {
  problems = [];
  counts = { acknowledged: 0, stored: 0, lost: 0, doubled: 0 };
  seen = new Map();
  started = Date.now();

  constructor(kind) {
    this.kind = kind;
  }

  saw(what) {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  problem(number, text) {
    console.log(`FAIL round ${number}: ${text}`);
    this.problems.push(text);
  }

  print(number) {
    const { acknowledged, stored, lost, doubled } = this.counts;
    const minutes = ((Date.now() - this.started) / 60_000).toFixed(1);
    const seen = [...this.seen].sort().map(([what, count]) => `${what} ${count}`);
    console.log(
      `${this.kind}: ${number} rounds in ${minutes} minutes, ${acknowledged} acknowledged, ${stored} stored, ${lost} lost, ${doubled} doubled; ` +
        `${this.problems.length === 0 ? 'all held' : `${this.problems.length} did not hold`}\n  ${seen.join(', ')}`,
    );
  }
}

/** A process that opens databases and looks. Its first opening is the slow one, so it is kept for a while. */
class Checker {
  #child;
  #lines;
  #looks = 0;

  async look(asked) {
    if (this.#looks++ % 20 === 0) this.#start();
    this.#child.stdin.write(`${JSON.stringify(asked)}\n`);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (!done) return JSON.parse(value);
    this.#looks = 0;
    return { failure: 'the process that opens it has ended' };
  }

  end() {
    this.#child?.stdin.end();
  }

  #start() {
    this.end();
    this.#child = spawn(process.execPath, [...quickStart, join(here, 'rounds-check.mjs')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }
}

/** Opens the database and looks: what was acknowledged is there, once. Answers why it does not open, if so. */
async function look(world, when, take) {
  const { root, checker, tally, number, acknowledged } = world;
  const { failure, ids, different, wrong } = await checker.look({ root, take });
  if (failure !== undefined) return { failure };
  const stored = new Set(ids);
  let lost = 0;
  for (const [from, count] of acknowledged)
    for (let id = from; id < from + count; id++) if (!stored.has(id)) lost++;
  const doubled = ids.length - different;
  if (lost > 0) tally.problem(number, `${lost} acknowledged records are lost (${when})`);
  if (doubled > 0) tally.problem(number, `${doubled} records are doubled (${when})`);
  if (wrong.length > 0) tally.problem(number, `models differ (${when}): ${wrong.join(', ')}`);
  return { stored: ids.length, lost, doubled };
}

/** The last word on a round. */
async function settle(world, { fresh }) {
  const from = world.number * 1_000_000 + 999_000;
  const take = Array.from({ length: 10 }, (_, index) => ({ id: from + index, user_id: 'last', amount: 1 }));
  world.acknowledged.set(from, take.length);
  const found = await look(world, 'at the end', take);
  if (found.failure !== undefined)
    return world.tally.problem(world.number, `does not open again: ${found.failure}`);
  const { counts } = world.tally;
  counts.lost += found.lost;
  counts.doubled += found.doubled;
  world.stored = found.stored;
  if (fresh) count(world);
}

/** Adds up what the project holds that is left now. */
function count(world) {
  const { counts } = world.tally;
  counts.acknowledged += sum(world.acknowledged.values());
  counts.stored += world.stored;
  world.stored = 0;
  world.acknowledged.clear();
}

const sum = (numbers) => [...numbers].reduce((total, number) => total + number, 0);

/** A process may end by itself only with an error that is told in one piece. */
function judge(world, seg, status) {
  const { tally, number } = world;
  if (seg.hung) tally.problem(number, `hung: ${seg.log}`);
  for (const [, code] of seg.log.matchAll(/error (SEG\d+)/g)) tally.saw(code);
  tally.saw(`exit ${status}`);
  if (/SEG999|^ +at /m.test(seg.log)) tally.problem(number, seg.log);
  if (status === 1 && (seg.log.match(/error SEG/g) ?? []).length !== 1)
    tally.problem(number, `not one error: ${seg.log}`);
}

/** "seg ingest" of many records; they count as acknowledged as far as it says so. */
function ingest(world, { count, bytes, nodeArgs, more = [] }) {
  const from = world.number * 1_000_000;
  const seg = start(world.root, ['ingest', 'events.events', ...more], nodeArgs);
  const step = bytes > 100_000 ? 2 : 500;
  const feed = async () => {
    for (let sent = 0; sent < count && !hasEnded(seg); sent += step) {
      if (seg.child.stdin.write(records(from + sent, Math.min(step, count - sent), bytes))) continue;
      await Promise.race([new Promise((resolve) => seg.child.stdin.once('drain', resolve)), seg.ended]);
    }
    seg.child.stdin.end();
  };
  const ended = Promise.all([seg.ended, feed()]).then(([status]) => {
    const told = [...seg.log.matchAll(/([\d,]+) accepted, 0 duplicate, 0 rejected/g)].at(-1);
    world.acknowledged.set(from, told === undefined ? 0 : Number(told[1].replaceAll(',', '')));
    return status;
  });
  return { seg, ended };
}

/** "seg serve", and a client that sends records one request after the other until `done`. */
async function serve(world, { bytes, nodeArgs }) {
  const seg = start(
    world.root,
    ['serve', '--port', '0', '--pg-port', '0', '--clock-interval', '0'],
    nodeArgs,
  );
  let http;
  while (http === undefined && !hasEnded(seg)) {
    http = /on (http:\S+)/.exec(seg.log)?.[1];
    await sleep(20);
  }
  let next = world.number * 1_000_000;
  const post = async (size = random(1, 300), each = bytes) => {
    const from = next;
    next += size;
    try {
      const answer = await fetch(`${http}/v1/sources/events.events/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: records(from, size, each),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const body = await answer.json();
      if (answer.status === 200) world.acknowledged.set(from, size);
      else world.tally.saw(`HTTP ${answer.status} ${body.error.code}`);
      return answer.status;
    } catch (error) {
      return error.name === 'TimeoutError' ? 'hung' : 'gone';
    }
  };
  const read = async () => {
    try {
      const answer = await fetch(`${http}/v1/models/totals?limit=1`, {
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 'gone';
    }
  };
  return { seg, post, read, isListening: http !== undefined };
}

/** Kills "seg ingest", "seg serve", or both, at any moment of their lives. */
async function killRound(world) {
  // The same project for some rounds, so that one recovery works on what another has left.
  if (world.number % 10 === 1) {
    count(world);
    fresh(world);
  }
  const bytes = chance(0.3) ? 3000 : 40;
  const how = random(1, 4);
  if (how === 1) {
    const { seg, ended } = ingest(world, { count: 5000, bytes });
    setTimeout(() => seg.child.kill('SIGKILL'), random(100, 2500));
    world.tally.saw(`ingest: ${await ended}`);
  } else {
    const { seg, post } = await serve(world, { bytes });
    setTimeout(() => seg.child.kill('SIGKILL'), random(1, 1500));
    const beside = how === 3 ? start(world.root, ['ingest', 'events.events']) : undefined;
    beside?.child.stdin.end(records(world.number * 1_000_000 + 500_000, 5000, bytes));
    while ((await post()) !== 'gone');
    world.tally.saw(`serve: ${await seg.ended}`);
    if (beside !== undefined) {
      const status = await beside.ended;
      world.tally.saw(`ingest beside serve: ${status}`);
      if (status === 0) world.acknowledged.set(world.number * 1_000_000 + 500_000, 5000);
      if (/SEG999|^ +at /m.test(beside.log)) world.tally.problem(world.number, beside.log);
    }
  }
  await settle(world, { fresh: false });
}

/** A project as it was built. */
function fresh({ template, root }) {
  rmSync(root, { recursive: true, force: true });
  cpSync(template, root, { recursive: true });
}

/** A file system of its own, which something else fills: before seg begins, or while it works. */
async function diskRound(world) {
  const { tally } = world;
  unmount(world);
  mkdirSync(world.root, { recursive: true });
  mount(world, random(150, 260));
  cpSync(world.template, world.root, { recursive: true });
  const filler = join(world.root, 'filler');
  const fill = (leaving) => {
    const { bavail, bsize } = statfsSync(world.root);
    const bytes = Math.max(0, bavail * bsize - leaving);
    const chunk = randomBytes(MEGABYTE);
    try {
      for (let written = 0; written < bytes; written += MEGABYTE)
        writeFileSync(filler, chunk.subarray(0, Math.min(MEGABYTE, bytes - written)), { flag: 'a' });
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  };
  const makeRoom = () => existsSync(filler) && truncateSync(filler, 0);
  const free = chance(0.15) ? random(0, 20) : random(20, 50);
  fill(free * MEGABYTE);
  const bytes = chance(0.8) ? 3000 : 40;
  // Somebody else takes the rest, at any moment.
  const sudden = chance(0.3) ? setTimeout(() => fill(0), random(200, 4000)) : undefined;
  const killed = chance(0.2);
  if (chance(0.5)) {
    const { seg, ended } = ingest(world, { count: 6000, bytes });
    if (killed) setTimeout(() => seg.child.kill('SIGKILL'), random(500, 5000));
    const status = await ended;
    tally.saw(`ingest: ${status}`);
    judge(world, seg, status);
    if (status === 2) tally.problem(world.number, `exit code 2: ${seg.log}`);
  } else {
    const { seg, post, read, isListening } = await serve(world, { bytes });
    if (!isListening) {
      const status = await seg.ended;
      tally.saw('serve did not start');
      judge(world, seg, status);
    } else {
      if (killed) setTimeout(() => seg.child.kill('SIGKILL'), random(200, 3000));
      let status;
      for (let requests = 0; requests < 60 && (status = await post()) === 200; requests++);
      if (status === 'hung') tally.problem(world.number, 'a request hung');
      if (status !== 200 && status !== 'gone') {
        const answer = await read();
        tally.saw(`reads while full: ${answer}`);
        makeRoom();
        const until = Date.now() + 30_000;
        while ((status = await post(10)) !== 200 && status !== 'gone' && Date.now() < until) await sleep(50);
        tally.saw(`writes when there is room: ${status}`);
        if (status !== 200 && status !== 'gone')
          tally.problem(world.number, `not taken again: ${status} ${seg.log}`);
      }
      seg.child.kill('SIGTERM');
      const end = await seg.ended;
      judge(world, seg, end);
      if (end !== 0 && end !== 'SIGKILL') tally.problem(world.number, `serve ended with ${end}: ${seg.log}`);
    }
  }
  clearTimeout(sudden);
  if (chance(0.5)) {
    fill(0);
    const reserve = existsSync(join(world.root, 'data/db/seg.reserve')) ? 'with its reserve' : 'without';
    const { failure } = await look(world, 'while full');
    tally.saw(`opens at 0 bytes ${reserve}: ${failure === undefined ? 'yes' : 'no'}`);
    if (failure !== undefined) tally.saw(failure.replaceAll(world.place, '').slice(0, 200));
  }
  makeRoom();
  await settle(world, { fresh: true });
}

function mount({ root }, megabytes) {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', root], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`a small file system is mounted here, which needs root: ${stderr}`);
}

function unmount({ root }) {
  spawnSync('umount', [root]);
}

/** An engine whose memory cannot grow beyond a random size; the work is large. */
async function memoryRound(world) {
  const { tally } = world;
  fresh(world);
  // Of 64 kB each: from what it hardly starts with to what most of the work fits into.
  const nodeArgs = [`--wasm-max-mem-pages=${random(2060, 2500)}`];
  const [bytes, count] = pick([
    [3000, 1500],
    [20_000, 300],
    [1_500_000, 20],
  ]);
  const how = random(1, 3);
  if (how === 1) {
    const { seg, ended } = ingest(world, { count, bytes, nodeArgs });
    const status = await ended;
    tally.saw(`ingest: ${status}`);
    judge(world, seg, status);
  } else if (how === 2) {
    await some(world, { count, bytes });
    const seg = start(world.root, ['run', '--full-refresh'], nodeArgs);
    const status = await seg.ended;
    tally.saw(`run: ${status}`);
    judge(world, seg, status);
  } else {
    const { seg, post, read, isListening } = await serve(world, { bytes, nodeArgs });
    if (!isListening) {
      judge(world, seg, await seg.ended);
      tally.saw('serve did not start');
    } else {
      for (let requests = 0; requests < 4; requests++) await post(random(1, Math.ceil(count / 2)));
      const answer = await read();
      tally.saw(`reads: ${answer}`);
      if (answer !== 200) tally.problem(world.number, `a read is answered with ${answer}: ${seg.log}`);
      const status = await post(1, 40);
      if (status !== 200) tally.problem(world.number, `one record is answered with ${status}: ${seg.log}`);
      seg.child.kill('SIGTERM');
      judge(world, seg, await seg.ended);
    }
  }
  await settle(world, { fresh: true });
}

/** Records that are there before. */
async function some(world, { count, bytes }) {
  const { ended, seg } = ingest(world, { count, bytes });
  const status = await ended;
  if (status !== 0) world.tally.problem(world.number, `ingest without a limit, ${status}: ${seg.log}`);
}

const pick = (list) => list[random(0, list.length - 1)];

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { events, streamProject } from './stream-project.ts';

interface Line {
  position: string;
  op: string;
  row: { event_id: string; position: number } | null;
  last?: boolean;
}

const project = streamProject();
beforeAll(async () => {
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
});
afterAll(() => project.remove());

/** A running subscriber, and what it has printed. */
function subscribe(args: string) {
  const child = project.start(`subscribe ${args}`);
  const lines: Line[] = [];
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  const until = async (enough: () => boolean) => {
    const deadline = Date.now() + 30_000;
    while (!enough()) {
      if (child.exitCode !== null) throw new Error(`seg subscribe ended with ${child.exitCode}: ${log}`);
      if (Date.now() > deadline) throw new Error(`${lines.length} lines after 30 s. ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const stop = async () => {
    const closed = once(child, 'close');
    child.kill('SIGINT');
    return { status: ((await closed) as [number | null])[0], log };
  };
  return { child, lines, until, stop };
}

describe('seg subscribe beside other processes', () => {
  it('prints every change once, in order, whoever commits it, and ends with 0 on Ctrl-C', async () => {
    const follower = subscribe('arrivals');
    const other = subscribe('by_user --no-snapshot');
    await follower.until(() => follower.lines.length === 1);
    expect(follower.lines[0]).toMatchObject({ op: 'snapshot', last: true });

    // A long owner, whom the subscribers listen to while it works.
    const generated = await project.seg(
      'generate segment_events --rate 200 --count 400 --into segment_events',
    );
    expect(generated).toMatchObject({ status: 0 });
    const [, accepted] = /: ([\d,]+) accepted/.exec(generated.log)!;
    const first = Number(accepted);
    await follower.until(() => follower.lines.length >= 1 + first);

    // Short ones, which are over before anybody has listened; they are not turned away by the subscribers.
    for (const from of [1, 51]) {
      const ingested = await project.seg('ingest segment_events -', { stdin: events(from, 50) });
      expect(ingested.log).toContain('50 accepted');
      expect(ingested.status).toBe(0);
    }
    await follower.until(() => follower.lines.length >= 1 + first + 100);
    expect(await follower.stop()).toEqual({ status: 0, log: '' });
    expect(await other.stop()).toEqual({ status: 0, log: '' });

    const changes = follower.lines.slice(1);
    expect(changes).toHaveLength(first + 100);
    expect(new Set(changes.map(({ op }) => op))).toEqual(new Set(['insert']));
    expect(new Set(changes.map(({ row }) => row!.event_id)).size).toBe(first + 100);
    const steps = changes.map(({ position }) => position);
    expect(steps).toEqual([...steps].sort());
    // Each step arrived whole: its last line, and only that, says so.
    const ends = changes.filter(({ last }) => last === true).map(({ position }) => position);
    expect(ends).toEqual([...new Set(steps)]);
    expect(other.lines.length).toBeGreaterThan(0);
  }, 90_000);

  it('tells what there is with --no-follow while another process owns the database', async () => {
    const owner = project.start('ingest segment_events -');
    const ended = once(owner, 'close');
    try {
      owner.stdin.write(events(1000, 10));
      // Committed, whether this follower hears of it in its snapshot or as a change: the other process is the owner now.
      const follower = subscribe('arrivals');
      const last = JSON.parse(events(1009, 1)) as { event: string };
      await follower.until(() => follower.lines.some(({ row }) => row?.event_id === last.event));
      const now = await project.seg('subscribe by_user --no-follow');
      expect(now).toMatchObject({ status: 0, log: '' });
      expect(now.stdout).toContain('"op":"snapshot"');
      expect((await follower.stop()).status).toBe(0);
    } finally {
      owner.stdin.end();
      await ended;
    }
  }, 60_000);

  it('leaves the database to others as long as nothing happens', async () => {
    const followers = [subscribe('arrivals --no-snapshot'), subscribe('by_user --no-snapshot')];
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (let time = 0; time < 2; time++) {
      const { status, log } = await project.seg(['show', '--inline', 'select 1 as one']);
      expect({ status, log: log.trim() }).toMatchObject({ status: 0 });
    }
    for (const follower of followers) expect(await follower.stop()).toMatchObject({ status: 0 });
  }, 60_000);

  it('says at once what cannot be followed', async () => {
    const unknown = await project.seg('subscribe arivals');
    expect(unknown.status).toBe(2);
    expect(unknown.log).toContain('Did you mean "arrivals"?');
    const fresh = streamProject();
    const nowhere = await fresh.seg('subscribe arrivals');
    expect(nowhere.status).toBe(1);
    expect(nowhere.log).toContain('SEG707: there is no database in');
    fresh.remove();
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

const empty = new TestProject();
afterAll(() => empty.remove());

describe('seg', () => {
  it('prints version and help to stdout', async () => {
    const version = await empty.seg('--version');
    expect(version).toMatchObject({ status: 0, log: '' });
    expect(version.stdout).toMatch(/^seg \d+\.\d+\.\d+\n$/);
    const help = await empty.seg('--help');
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('Usage: seg <command> [flags]');
    expect((await empty.seg([])).status).toBe(0);
  });

  it.each([
    ['rnu', 'SEG902: unknown command "rnu"', 'Did you mean "run"?'],
    ['run --selct x', 'SEG901: unknown option "--selct"', 'Did you mean "--select"?'],
    ['run --threads none', 'SEG903: wrong value "none" for --threads', 'It takes a whole number.'],
    ['show', 'SEG906: nothing to show', 'Name a node (`seg show my_model`)'],
    ['generate segment_evnts', 'SEG907: unknown stream "segment_evnts"', 'Did you mean "segment_events"?'],
    ['ls', 'SEG104: no project in', '`seg init` makes a new one'],
    ['init 2fast', 'SEG913: "2fast" is not a valid project name', '"_2fast"'],
  ])('refuses `seg %s` with exit code 2', async (line, message, hint) => {
    const { status, stdout, log } = await empty.seg(line);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(log).toContain(message);
    expect(log).toContain(hint);
  });

  it('generates streams without a project, the same for the same seed', async () => {
    const first = await empty.seg('generate segment_events --count 20 --seed 7 --users 10');
    expect(first).toMatchObject({ status: 0, log: '' });
    const records = first.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { user: string });
    expect(records).toHaveLength(20);
    expect(records[0]!.user).toMatch(/^usr-[0-9a-f]{6}$/);
    expect((await empty.seg('generate segment_events --count 20 --seed 7 --users 10')).stdout).toBe(
      first.stdout,
    );
    const csv = await empty.seg('generate pageviews --count 2 --format csv');
    expect(csv.stdout.split('\n')[0]).toBe('visitor_id,timestamp,event,url');
    expect((await empty.seg('generate segment_events --skew -1')).status).toBe(2);
  });

  it('logs JSON lines when asked', async () => {
    const { status, log } = await empty.seg('ls --log-format json');
    expect(status).toBe(2);
    const line = JSON.parse(log.trim().split('\n').at(-1)!) as { info: { level: string; name: string } };
    expect(line.info).toMatchObject({ level: 'error', name: 'MainEncounteredError' });
  });
});

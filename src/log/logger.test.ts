import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogFile } from './log-file.ts';
import { Logger, type LoggerOptions } from './logger.ts';
import { progressLine } from './progress-line.ts';
import { secretScrubber } from './secrets.ts';

const at = new Date('2026-01-02T03:04:05.678Z');

function logged(options: Partial<LoggerOptions>, work: (log: Logger) => void): string {
  let output = '';
  work(new Logger({ write: (text) => (output += text), now: () => at, invocationId: 'id-1', ...options }));
  return output;
}

it('writes a status over the one before, and lines in its place', () => {
  let text = '';
  const now = () => new Date('2024-01-01T12:00:00Z');
  const write = (part: string) => (text += part);
  const log = new Logger({ write, now, terminalWidth: 20 });
  log.status('one');
  log.status('a text that is too long');
  log.info('line');
  log.status('two');
  log.clearStatus();
  log.clearStatus();
  const clear = '\r\u001b[2K';
  expect(text).toBe(
    `${clear}12:00:00  one${clear}12:00:00  a text th${clear}12:00:00  line\n${clear}12:00:00  two${clear}`,
  );
  text = '';
  for (const options of [
    {},
    { terminalWidth: 20, level: 'error' },
    { terminalWidth: 20, format: 'json' },
  ] as const)
    new Logger({ write, now, ...options }).status('nothing');
  expect(text).toBe('');
});

describe('Logger', () => {
  it('writes the time in UTC, two spaces and the text', () => {
    const output = logged({}, (log) => {
      log.info('Found 2 models');
      log.blank();
      log.debug('not shown');
    });
    expect(output).toBe('03:04:05  Found 2 models\n03:04:05  \n');
  });

  it('shows level and microseconds when debugging, errors only when quiet', () => {
    expect(logged({ level: 'debug' }, (log) => log.debug('x'))).toBe(
      '03:04:05.678000 [debug] [MainThread]: x\n',
    );
    const quiet = logged({ level: 'error' }, (log) => {
      log.info('a');
      log.warn('b');
      log.error('c');
    });
    expect(quiet).toBe('03:04:05  c\n');
  });

  it("writes one JSON object a line in dbt's shape", () => {
    const output = logged({ format: 'json' }, (log) =>
      log.info('Done.', { name: 'StatsLine', code: 'Q039', data: { stats: { pass: 1n } } }),
    );
    const line = JSON.parse(output) as { info: Record<string, unknown>; data: unknown };
    expect(line.info).toMatchObject({
      name: 'StatsLine',
      code: 'Q039',
      level: 'info',
      msg: 'Done.',
      ts: '2026-01-02T03:04:05.678000Z',
      invocation_id: 'id-1',
    });
    expect(line.data).toEqual({ msg: 'Done.', stats: { pass: '1' } });
  });

  it('scrubs secrets, also where JSON escapes them', () => {
    const scrub = secretScrubber({ DBT_ENV_SECRET_A: 'pa"ss', SEG_SECRET_B: 'pa"ss-long', OTHER: 'text' });
    expect(logged({ scrub }, (log) => log.info('a pa"ss b pa"ss-long text'))).toBe(
      '03:04:05  a ***** b ***** text\n',
    );
    const json = logged({ scrub, format: 'json' }, (log) => log.info('x', { data: { deep: ['pa"ss'] } }));
    expect(json).toContain('["*****"]');
  });

  it('writes to the file what was logged before it was attached, and without colours', () => {
    const folder = mkdtempSync(join(tmpdir(), 'seg-log-'));
    const path = join(folder, 'logs', 'seg.log');
    logged({ colors: true }, (log) => {
      log.debug('early');
      log.attachFile(new LogFile(path));
      log.info(log.colors.green('late'));
      log.close();
    });
    expect(readFileSync(path, 'utf8')).toBe(
      [
        '============================== 03:04:05.678000 | id-1 ==============================',
        '03:04:05.678000 [debug] [MainThread]: early',
        '03:04:05.678000 [info ] [MainThread]: late',
        '',
      ].join('\n'),
    );
    rmSync(folder, { recursive: true });
  });
});

describe('a log file that takes nothing', () => {
  it('is told of once, and fails nothing', () => {
    class Full extends LogFile {
      override write(): Error {
        return new Error('ENOSPC: no space left on device, write');
      }
    }
    const folder = mkdtempSync(join(tmpdir(), 'seg-log-'));
    const path = join(folder, 'seg.log');
    const lines = logged({}, (log) => {
      log.attachFile(new Full(path));
      log.info('one');
      log.info('two');
      log.close();
    });
    expect(lines).toContain('one');
    expect(lines).toContain('two');
    expect(lines.split(`The log file "${path}" lacks lines`)).toHaveLength(2);
    rmSync(folder, { recursive: true });
  });
});

describe('LogFile', () => {
  it('rolls when full and keeps five older files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'seg-log-'));
    const file = new LogFile(join(folder, 'seg.log'), 10);
    for (let line = 0; line < 8; line++) file.write(`line ${line}..`);
    file.close();
    expect(readdirSync(folder).sort()).toEqual([
      'seg.log',
      ...[1, 2, 3, 4, 5].map((age) => `seg.log.${age}`),
    ]);
    expect(readFileSync(join(folder, 'seg.log.1'), 'utf8')).toBe('line 6..\n');
    rmSync(folder, { recursive: true });
  });
});

describe('progressLine', () => {
  it('pads with dots to the width', () => {
    const line = progressLine('START sql view model dev.stg_orders', 'RUN', { index: 2, total: 6 });
    expect(line).toBe(
      '2 of 6 START sql view model dev.stg_orders ..................................... [RUN]',
    );
    expect(progressLine('PASS a', 'PASS', { index: 1, total: 1, seconds: 0.018, width: 20 })).toBe(
      '1 of 1 PASS a ...... [PASS in 0.02s]',
    );
  });

  it('cuts what is too long', () => {
    const line = progressLine(`START test ${'x'.repeat(100)}`, 'RUN', { index: 6, total: 6 });
    expect(line).toBe(`6 of 6 START test ${'x'.repeat(59)}... [RUN]`);
  });
});

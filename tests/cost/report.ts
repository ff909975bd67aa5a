/** What was counted, as tables for docs/performance.md. */
import type { IncrementalView } from '../../src/incremental/incremental.ts';
import { isPromised } from './work.ts';
import type { Work } from './work.ts';

export interface Row {
  readonly domain: string;
  readonly shape: string;
  readonly stages: IncrementalView['stages'];
  readonly small: ReadonlyMap<string, Work>;
  readonly large: ReadonlyMap<string, Work>;
  readonly grows: { readonly [table: string]: string };
}

export function reportOf(rows: readonly Row[], [small, large]: readonly [number, number]): string {
  const parts = [...new Set(rows.map(({ domain }) => domain))].map((domain) =>
    [
      `#### ${domain[0]!.toUpperCase()}${domain.slice(1)}`,
      '',
      `| shape | kept by | rows read and written for a row of, at ${count(small)} → at ${count(large)} |`,
      '| --- | --- | --- |',
      ...rows.filter((row) => row.domain === domain).map(line),
    ].join('\n'),
  );
  const whole = rows.flatMap(({ domain, shape, stages }) =>
    stages
      .filter(({ cost }) => /\bwhole\b/.test(cost))
      .map(({ reason }) => `| ${domain}: ${shape} | ${reason} |`),
  );
  const growing = rows.flatMap(({ domain, shape, grows }) =>
    Object.entries(grows).map(([table, why]) => `| ${domain}: ${shape} | ${table} | ${why} |`),
  );
  return [
    ...parts,
    ['#### What is still recomputed', '', '| shape | because |', '| --- | --- |', ...whole].join('\n'),
    [
      '#### What grows all the same',
      '',
      '| shape | changed | because |',
      '| --- | --- | --- |',
      ...growing,
    ].join('\n'),
  ].join('\n\n');
}

function line({ shape, stages, small, large, grows }: Row): string {
  const cells = [...large].map(([table, work]) => {
    const mark = grows[table] !== undefined ? ' (grows)' : isPromised(stages, table) ? '' : ' (whole)';
    return `${table} ${text(small.get(table)!)} → ${text(work)}${mark}`;
  });
  return `| ${shape} | ${kept(stages)} | ${cells.join(', ')} |`;
}

const text = ({ read, written }: Work): string => `${count(read)}/${count(written)}`;

function kept(stages: Row['stages']): string {
  const times = new Map<string, number>();
  for (const { strategy } of stages) times.set(strategy, (times.get(strategy) ?? 0) + 1);
  return [...times].map(([strategy, n]) => (n === 1 ? strategy : `${n} ${strategy}`)).join(', ');
}

const count = (n: number): string => n.toLocaleString('en-US');

/** How long each part of a case took: of the processor, so that what else the machine does is not counted. */
import { readFileSync } from 'node:fs';

export type Phase = 'schema' | 'views' | 'oracle' | 'statements' | 'comparisons';

export class WorkClock {
  readonly laps: Record<Phase, number> = { schema: 0, views: 0, oracle: 0, statements: 0, comparisons: 0 };
  /** The process of the server that works; where it is not given, or the machine does not tell, this one counts. */
  readonly #server: number | undefined;
  #cpu: number;
  #wall = performance.now();

  constructor(server?: number) {
    this.#server = server;
    this.#cpu = this.#used();
  }

  /** Milliseconds since the last lap: of the processor or the wall, whichever are fewer (other threads compile meanwhile). */
  since(): number {
    return Math.min(this.#used() - this.#cpu, performance.now() - this.#wall);
  }

  /** Adds them to a part, and begins anew. */
  lap(phase: Phase): number {
    const spent = this.since();
    this.laps[phase] += spent;
    this.#cpu = this.#used();
    this.#wall = performance.now();
    return spent;
  }

  #used(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000 + (this.#server === undefined ? 0 : usedBy(this.#server));
  }
}

/** Milliseconds of the processor that another process of this machine has used; its ticks are hundredths of a second. */
function usedBy(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

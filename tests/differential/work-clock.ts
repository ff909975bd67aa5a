/** How long each part of a case took: of this process alone, so that what else the machine does is not counted. */
export type Phase = 'schema' | 'views' | 'oracle' | 'statements' | 'comparisons';

export class WorkClock {
  readonly laps: Record<Phase, number> = { schema: 0, views: 0, oracle: 0, statements: 0, comparisons: 0 };
  #cpu = process.cpuUsage();
  #wall = performance.now();

  /** Milliseconds since the last lap: of the processor or the wall, whichever are fewer (other threads compile meanwhile). */
  since(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    return Math.min((user + system) / 1000, performance.now() - this.#wall);
  }

  /** Adds them to a part, and begins anew. */
  lap(phase: Phase): number {
    const spent = this.since();
    this.laps[phase] += spent;
    this.#cpu = process.cpuUsage();
    this.#wall = performance.now();
    return spent;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/logger.ts';
import type { Project } from '../project/load.ts';
import type { SinkEvent } from '../sinks/events.ts';
import type { Shifts } from '../sinks/shifts.ts';
import type { ServerState } from './server-state.ts';

/** After the database was not there when they began. */
const AGAIN_MS = 5000;

/**
 * The sinks of the project, until `signal`; begun anew when the project is deployed anew. A sink that fails does so alone,
 * and is told of once.
 */
export async function serveSinks(
  state: ServerState,
  select: (project: Project) => ReadonlySet<string>,
  shifts: Shifts,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { runSinks } = await import('../sinks/run-sinks.ts');
  const { sentence } = await import('../sinks/notices.ts');
  const { metrics } = state;
  const onEvent = (event: SinkEvent): void => {
    const { sink } = event;
    if (event.kind === 'delivered') {
      metrics.sinkChanges.inc({ sink }, event.records);
      metrics.sinkLag.set({ sink }, event.lagMs / 1000);
      metrics.sinkDelivery.observe({ sink }, event.lagMs / 1000);
    } else if (event.kind === 'retry' || event.kind === 'rejected') metrics.sinkFailures.inc({ sink });
    else if (event.kind === 'state' || event.kind === 'gap') {
      const fine = event.kind === 'state' && event.state === 'ok';
      log[fine ? 'info' : 'warn'](sentence(event), { name: 'SinkState', data: { ...event } });
    }
  };
  while (!signal.aborted) {
    const { project } = state;
    const replaced = state.replaced();
    const until = AbortSignal.any([signal, replaced]);
    try {
      await runSinks(state.shared.as('sink'), project, {
        select: select(project),
        signal: until,
        follow: true,
        shifts,
        onEvent,
        changed: (listener) => state.shared.onWritten(listener),
      });
    } catch (error) {
      log.error(`The sinks have ended: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(AGAIN_MS, undefined, { signal: until }).catch(() => {});
      continue;
    }
    // Without sinks: another project may have some.
    if (!until.aborted)
      await new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }));
  }
}

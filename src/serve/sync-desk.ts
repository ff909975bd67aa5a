import { SegError } from '../diagnostics/seg-error.ts';
import type { RelayTask } from '../feeds/relay.ts';
import type { Project } from '../project/load.ts';
import { parseSyncRequest } from '../sinks/remote-sync.ts';
import type { SyncMessage } from '../sinks/remote-sync.ts';
import { Shifts } from '../sinks/shifts.ts';
import type { ServerState } from './server-state.ts';

/** Runs sinks for `seg sync` in other processes, in the place of the server's own runs of them. */
export class SyncDesk {
  readonly shifts = new Shifts();
  readonly #state: () => ServerState;
  readonly #reload: () => Promise<Project>;

  /** @param reload the project as its files are now: what is asked for may have been written a moment ago */
  constructor(state: () => ServerState, reload: () => Promise<Project>) {
    this.#state = state;
    this.#reload = reload;
  }

  /** Answers a request; undefined when it is none of these. */
  taskOf(request: unknown): RelayTask | undefined {
    const sync = parseSyncRequest(request);
    if (sync === undefined) return undefined;
    return async (tellAny, signal) => {
      const tell = (message: SyncMessage): Promise<void> => tellAny(message);
      const { runSinks } = await import('../sinks/run-sinks.ts');
      const { shared } = this.#state();
      try {
        const project = await this.#reload();
        const summaries = await this.shifts.instead(sync.sinks, () =>
          runSinks(shared.as('sink'), project, {
            ...sync,
            select: new Set(sync.sinks),
            signal,
            onEvent: (event) => void tell({ event }),
            changed: (listener) => shared.onWritten(listener),
            writeOut: (out) => tell({ out }),
          }),
        );
        await tell({ summaries });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        await tell({
          error:
            error instanceof SegError ? error.diagnostics : [{ code: 'SEG734', severity: 'error', message }],
        });
      }
    };
  }
}

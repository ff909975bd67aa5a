/** What a sink tells while it runs. */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SinkState } from './place.ts';

export interface SinkSummary {
  readonly sink: string;
  readonly status: 'ok' | 'failing' | 'held' | 'broken' | 'interrupted';
  readonly message: string | null;
  /** Records that came into the queue. */
  readonly taken: number;
  /** Records the receiver has acknowledged. */
  readonly sent: number;
  /** Records that were back at what the receiver holds, and were not sent. */
  readonly unchanged: number;
  readonly rejected: number;
  readonly batches: number;
  readonly retries: number;
  /** Why it is broken, with places, where seg itself has found out. */
  readonly diagnostics?: readonly Diagnostic[];
}

export type SinkEvent =
  | {
      readonly kind: 'delivered';
      readonly sink: string;
      readonly records: number;
      readonly ms: number;
      readonly lagMs: number;
    }
  | {
      readonly kind: 'retry';
      readonly sink: string;
      readonly reason: string;
      readonly attempt: number;
      readonly delayMs: number;
    }
  | { readonly kind: 'rejected'; readonly sink: string; readonly key: string; readonly reason: string }
  | {
      /** Once for each time a sink becomes another: a notice for people. */
      readonly kind: 'state';
      readonly sink: string;
      readonly state: SinkState;
      readonly before: SinkState;
      readonly reason: string | null;
    }
  | { readonly kind: 'gap'; readonly sink: string; readonly reason: string }
  | { readonly kind: 'end'; readonly sink: string; readonly summary: SinkSummary };

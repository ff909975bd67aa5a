/** What a kind of receiver must do; everything else (queue, order, retries, splitting, parking) is the sink's. */
import type { Position } from '../../changelog/change.ts';
import type { Delivery } from '../record.ts';
import type { Refusal } from '../queue.ts';
import type { Shape } from '../shape.ts';
import type { Sink } from '../sink.ts';

export interface Receiver {
  readonly limits: ReceiverLimits;
  /**
   * Sends a batch and answers which of its records were refused; all others are acknowledged. The same batch may come
   * again, with the same id, when its acknowledgement was lost.
   * @throws ReceiverError
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<readonly Refusal[]>;
  close(): Promise<void>;
}

export interface ReceiverLimits {
  /** Batches on their way at once; those of one lane never are. */
  readonly concurrency: number;
  readonly records: number;
  readonly wholeLanes?: boolean;
  /** Wait until this much has come together; a run that is to end does not wait. */
  readonly hold?: { readonly records: number; readonly bytes: number; readonly seconds: number };
}

/** What a receiver is made with. */
export interface ReceiverContext {
  readonly sink: Sink;
  readonly shape: Shape;
  readonly instance: string;
  /** Positions as readers of feeds see them. */
  readonly position: (number: bigint) => Position;
  readonly writeOut: (text: string) => Promise<void>;
}

/**
 * `again`: try the same batch again, later. `down`: the receiver, its address or its credentials must be mended first, the
 * records are not at fault. `refused`: something in the batch is.
 */
export type Failure = 'again' | 'down' | 'refused';

export class ReceiverError extends Error {
  readonly failure: Failure;
  readonly status: number | null;
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: Failure,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ReceiverError';
    this.failure = failure;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs;
  }
}

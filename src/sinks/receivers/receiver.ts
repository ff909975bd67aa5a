/** What a kind of receiver must do; everything else (queue, order, retries, splitting, parking) is the sink's. */
import type { Position } from '../../changelog/change.ts';
import { positionOf } from '../../feeds/position.ts';
import type { Delivery } from '../record.ts';
import type { Refusal } from '../settle.ts';
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
  /**
   * What `send` would send for a batch, made by the code that `send` sends with; nothing is opened or written.
   * @throws SegError for a template that cannot be rendered
   */
  outgoing(delivery: Delivery): readonly Outgoing[];
  close(): Promise<void>;
}

/** One request, message, file or statement as its receiver gets it. */
export interface Outgoing {
  /** `POST https://...`, `topic orders`, the path of a file, `table "public"."orders"`, `standard output`. */
  readonly to: string;
  /** Those that authenticate are masked. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a message; absent where there is no such thing. */
  readonly key?: string;
  /** As text, before compression; null for a message without a value. */
  readonly body: string | null;
  /** Of a statement. */
  readonly parameters?: readonly string[];
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

/** How readers see the positions of what a sink reads: of a feed, or the numbers of arrival at a source. */
export function positionsOf({ position }: Shape): ReceiverContext['position'] {
  return position === null ? positionOf : (number) => number.toString().padStart(12, '0');
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

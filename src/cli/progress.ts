import type { CommandContext } from './context.ts';

/** On a terminal, where one line is written over and over. */
const STATUS_EVERY_MS = 200;
/** Elsewhere, where each is a line of its own. */
const LINE_EVERY_MS = 3000;

/**
 * Shows how something goes on that may take long: on a terminal one line that changes, else a log line every few
 * seconds; what is over sooner shows nothing. The text is made only when it is shown.
 */
export function progress({ log }: Pick<CommandContext, 'log'>): {
  readonly show: (text: () => string) => void;
  /** To be called when it is over, also by an error. */
  readonly end: () => void;
} {
  const every = log.hasStatus ? STATUS_EVERY_MS : LINE_EVERY_MS;
  let shown = performance.now();
  return {
    show(text) {
      if (performance.now() - shown < every) return;
      shown = performance.now();
      if (log.hasStatus) log.status(text());
      else log.info(text());
    },
    end: () => log.clearStatus(),
  };
}

export interface Pace {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Records of the batch that was written last. */
  readonly batch: number;
}

/** `120,000 accepted, 12 duplicate, 0 rejected in 12.0s (9,876/s, batches of 10,000)`. */
export function paceText(pace: Pace): string {
  return `${counts(pace)} in ${pace.seconds.toFixed(1)}s (${grouped(pace.perSecond)}/s, batches of ${grouped(pace.batch)})`;
}

export function counts({
  accepted,
  duplicate,
  rejected,
}: Pick<Pace, 'accepted' | 'duplicate' | 'rejected'>): string {
  return `${grouped(accepted)} accepted, ${grouped(duplicate)} duplicate, ${grouped(rejected)} rejected`;
}

/** `12,345`. */
export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** What can be turned on every generator; `stream` knobs that a generator has no use for are ignored by it. */
export interface GeneratorOptions {
  /** Number or text; the same seed gives the same records (default 1). */
  readonly seed?: number | string;
  /** How many records; endless when left out. */
  readonly count?: number;
  /** The first record's time, ISO 8601 (default 2024-01-01T00:00:00Z). */
  readonly start?: string;
  /** Records a second of the stream's own time (each generator has its default). */
  readonly rate?: number;
  /** Live: timestamps are read from here. Otherwise time is made up from `start` and `rate`. */
  readonly clock?: () => number;
  /** How many people there are. */
  readonly users?: number;
  /** segment_events: how many segments. */
  readonly segments?: number;
  /** segment_events: the Zipf exponent of the segments. */
  readonly skew?: number;
  /** segment_events: the share of events that repeat an earlier one. */
  readonly repeat?: number;
  /** segment_events: the share of events that bots make. */
  readonly bots?: number;
}

const START = '2024-01-01T00:00:00Z';

/** Throws a RangeError for a start that is no moment. */
export function startOf(options: GeneratorOptions): number {
  const startMs = Date.parse(options.start ?? START);
  if (Number.isNaN(startMs)) throw new RangeError(`"${options.start}" is no ISO 8601 moment`);
  return startMs;
}

/** Throws a RangeError when a knob is outside of what makes sense; `name` is its option's. */
export function knob(
  name: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most = Infinity,
): number {
  if (value === undefined) return fallback;
  if (Number.isNaN(value) || value < least || value > most) {
    throw new RangeError(
      `${name} must be ${most === Infinity ? `${least} or more` : `between ${least} and ${most}`}, not ${value}`,
    );
  }
  return value;
}

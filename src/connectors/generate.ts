import { stringify } from 'csv-stringify/sync';
import { activityEvents, type ActivityEvent } from './generators/activity-events.ts';
import { knob, type GeneratorOptions } from './generators/options.ts';
import { pageviews, type Pageview } from './generators/pageviews.ts';
import { segmentEvents, type SegmentEvent } from './generators/segment-events.ts';
import { trackEvents, type TrackEvent } from './generators/track-events.ts';
import { lookup, parsePath } from './map-record.ts';

export interface StreamRecords {
  segment_events: SegmentEvent;
  activity_events: ActivityEvent;
  track_events: TrackEvent;
  pageviews: Pageview;
}

export type StreamName = keyof StreamRecords;

/** For each stream its generator, and its fields as CSV (dotted names are paths into the record). */
const STREAMS: {
  [S in StreamName]: {
    make: (options: GeneratorOptions) => Generator<StreamRecords[S], never>;
    csv: readonly string[];
  };
} = {
  segment_events: {
    make: segmentEvents,
    csv: ['event', 'timestamp', 'user', 'segment.vendor', 'segment.name', 'value', 'remove'],
  },
  activity_events: {
    make: activityEvents,
    csv: [
      ...['id', 'id_type', 'region', 'device_type', 'country', 'created_at', 'payload.activity_type'],
      ...['payload.url', 'payload.order_total', 'payload.order_id', 'payload.element_id'],
    ],
  },
  track_events: {
    make: trackEvents,
    csv: [
      ...['messageId', 'type', 'event', 'userId', 'anonymousId', 'properties.title', 'properties.email'],
      ...['context.traits.email', 'timestamp', 'receivedAt'],
    ],
  },
  pageviews: { make: pageviews, csv: ['visitor_id', 'timestamp', 'event', 'url'] },
};

export const streamNames = Object.keys(STREAMS) as StreamName[];

/**
 * Records of one of the project's streams: endless, or `count` of them. The same options give the same records, on
 * every machine, as long as no `clock` is given. Throws a RangeError for a knob that makes no sense, at once.
 */
export function generate<S extends StreamName>(
  stream: S,
  options: GeneratorOptions = {},
): Generator<StreamRecords[S], void> {
  const count = knob('count', options.count, Infinity, 0);
  const { make } = STREAMS[stream];
  // The first record is drawn here, so that a wrong option is told to the caller and not to the first reader.
  const records = make(options);
  const first = records.next().value;
  return (function* () {
    if (count > 0) yield first;
    for (let i = 1; i < count; i++) yield records.next().value;
  })();
}

/** The header line of a stream's CSV form, newline included. */
export function csvHeader(stream: StreamName): string {
  return `${STREAMS[stream].csv.join(',')}\n`;
}

/** Records as lines of text: NDJSON, or CSV without the header. */
export function formatRecords<S extends StreamName>(
  stream: S,
  records: readonly StreamRecords[S][],
  format: 'json' | 'csv',
): string {
  if (format === 'json') return records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const paths = STREAMS[stream].csv.map(parsePath);
  return stringify(
    records.map((record) => paths.map((path) => lookup(record, path))),
    { cast: { boolean: String } },
  );
}

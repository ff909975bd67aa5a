/** What `GET /metrics` shows, in Prometheus' text format. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type Metrics = ReturnType<typeof createMetrics>;

/** @param engineBytes what the embedded engine's memory is, where there is one */
export function createMetrics(engineBytes: () => number = () => 0) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    records: new Counter({
      name: 'seg_ingest_records_total',
      help: 'Records taken in, by source and outcome (accepted, duplicate, rejected).',
      labelNames: ['source', 'outcome'],
      registers,
    }),
    batchSeconds: new Histogram({
      name: 'seg_ingest_batch_seconds',
      help: 'Time from taking a batch of records to its commit, models brought up to date.',
      labelNames: ['source'],
      buckets: SECONDS,
      registers,
    }),
    batchRecords: new Histogram({
      name: 'seg_ingest_batch_records',
      help: 'Records in one transaction.',
      labelNames: ['source'],
      buckets: [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000],
      registers,
    }),
    pending: new Gauge({
      name: 'seg_ingest_pending_records',
      help: 'Records that wait for their batch.',
      labelNames: ['source'],
      registers,
    }),
    refused: new Counter({
      name: 'seg_ingest_refused_requests_total',
      help: 'Requests answered with 429, because too many records waited.',
      labelNames: ['source'],
      registers,
    }),
    turnSeconds: new Histogram({
      name: 'seg_turn_wait_seconds',
      help: 'How long a kind of use waited for the database.',
      labelNames: ['kind'],
      buckets: SECONDS,
      registers,
    }),
    turnLength: new Histogram({
      name: 'seg_turn_seconds',
      help: 'How long a kind of use had the database for itself, a turn.',
      labelNames: ['kind'],
      buckets: SECONDS,
      registers,
    }),
    waiting: new Gauge({ name: 'seg_turns_waiting', help: 'Uses of the database that wait.', registers }),
    httpSeconds: new Histogram({
      name: 'seg_http_request_seconds',
      help: 'HTTP requests by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      buckets: SECONDS,
      registers,
    }),
    feedFollowers: new Gauge({
      name: 'seg_feed_followers',
      help: 'Followers of change feeds: HTTP, WebSocket, seg subscribe.',
      registers,
    }),
    feedChanges: new Counter({
      name: 'seg_feed_changes_total',
      help: 'Changes delivered to followers.',
      labelNames: ['model'],
      registers,
    }),
    feedLag: new Histogram({
      name: 'seg_feed_lag_seconds',
      help: 'Age of a batch of changes when a follower got it.',
      labelNames: ['model'],
      buckets: SECONDS,
      registers,
    }),
    cutOff: new Counter({
      name: 'seg_feed_cut_off_total',
      help: 'Followers that were cut off because they did not read.',
      registers,
    }),
    clockLag: new Gauge({
      name: 'seg_clock_lag_seconds',
      help: "How far the project's clock is behind the machine's (negative: ahead of it).",
      registers,
    }),
    engineMemory: new Gauge({
      name: 'seg_engine_memory_bytes',
      help: 'Linear memory of the embedded engine; it grows to what is needed at once, and never shrinks.',
      registers,
      collect() {
        this.set(engineBytes());
      },
    }),
    position: new Gauge({
      name: 'seg_last_step',
      help: 'Number of the last committed step.',
      registers,
    }),
    lastChange: new Gauge({
      name: 'seg_view_last_change_timestamp_seconds',
      help: 'When a followed view last changed, in seconds since 1970; views are never stale, they change with their sources.',
      labelNames: ['model'],
      registers,
    }),
    wireClients: new Gauge({
      name: 'seg_pg_clients',
      help: 'Clients connected to the Postgres port.',
      registers,
    }),
    wireStatements: new Counter({
      name: 'seg_pg_statements_total',
      help: 'Statements of clients of the Postgres port, by role.',
      labelNames: ['role'],
      registers,
    }),
    sinkChanges: new Counter({
      name: 'seg_sink_changes_total',
      help: 'Changes delivered by sinks.',
      labelNames: ['sink'],
      registers,
    }),
    sinkDelivery: new Histogram({
      name: 'seg_sink_delivery_seconds',
      help: 'Age of the oldest change of a batch when its receiver had acknowledged it.',
      labelNames: ['sink'],
      buckets: SECONDS,
      registers,
    }),
    sinkFailures: new Counter({
      name: 'seg_sink_failures_total',
      help: 'Deliveries that failed, by sink.',
      labelNames: ['sink'],
      registers,
    }),
    sinkLag: new Gauge({
      name: 'seg_sink_lag_seconds',
      help: 'Age of the oldest change that a sink has not delivered.',
      labelNames: ['sink'],
      registers,
    }),
  };
}

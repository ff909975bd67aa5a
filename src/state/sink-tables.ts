/**
 * Migration (schema.ts): the tables of sinks (sinks/). `sink_runs` and `sink_rejections` are for people; the
 * others are how a sink remembers what it has taken, what is on its way and what its receiver holds.
 */
export function sinkTables(seg: string): string {
  return `
    CREATE TABLE ${seg}.sink (
      id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      unique_id text NOT NULL UNIQUE,
      name text NOT NULL,
      -- Tells this sink from one of the same name on a database that was made anew.
      instance uuid NOT NULL DEFAULT gen_random_uuid(),
      shape text NOT NULL,
      feed text NOT NULL,
      -- Changes up to here are in the queue, or were settled.
      position bigint NOT NULL,
      last_batch bigint NOT NULL DEFAULT 0,
      state text NOT NULL DEFAULT 'ok',
      reason text,
      since timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- What is to be sent: the last state of each key, until it is acknowledged. With a batch, it is on its way.
    CREATE TABLE ${seg}.sink_queue (
      seq bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      sink integer NOT NULL,
      key text NOT NULL,
      lane text NOT NULL,
      "row" jsonb,
      before jsonb,
      first_position bigint NOT NULL,
      position bigint NOT NULL,
      at timestamptz NOT NULL,
      batch bigint
    );
    CREATE UNIQUE INDEX sink_queue_waiting ON ${seg}.sink_queue (sink, md5(key)) WHERE batch IS NULL;
    CREATE INDEX sink_queue_order ON ${seg}.sink_queue (sink, seq) WHERE batch IS NULL;
    CREATE INDEX sink_queue_sent ON ${seg}.sink_queue (sink, batch, seq) WHERE batch IS NOT NULL;
    -- What a receiver holds because this sink has sent it. hash is empty where it is not known any more.
    CREATE TABLE ${seg}.sink_record (
      sink integer NOT NULL,
      key text NOT NULL,
      hash text NOT NULL,
      sent_at timestamptz NOT NULL
    );
    -- By hash: a key may be longer than an index takes.
    CREATE UNIQUE INDEX sink_record_key ON ${seg}.sink_record (sink, md5(key));
    -- Records a receiver has refused, until they pass or are dropped.
    CREATE TABLE ${seg}.sink_rejections (
      id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      sink text NOT NULL,
      key text NOT NULL,
      op text NOT NULL,
      reason text NOT NULL,
      status integer,
      "row" jsonb,
      before jsonb,
      attempts integer NOT NULL DEFAULT 1,
      message_id text NOT NULL,
      rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      last_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      sink_id integer NOT NULL,
      lane text NOT NULL,
      first_position bigint NOT NULL,
      position bigint NOT NULL,
      at timestamptz NOT NULL
    );
    CREATE UNIQUE INDEX sink_rejections_key ON ${seg}.sink_rejections (sink_id, md5(key));
    -- One row for each time a sink ran; one that says "running" and has no process was killed.
    CREATE TABLE ${seg}.sink_runs (
      id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      sink text NOT NULL,
      invocation_id text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      ended_at timestamptz,
      status text NOT NULL DEFAULT 'running',
      message text,
      taken bigint NOT NULL DEFAULT 0,
      sent bigint NOT NULL DEFAULT 0,
      unchanged bigint NOT NULL DEFAULT 0,
      rejected bigint NOT NULL DEFAULT 0,
      batches bigint NOT NULL DEFAULT 0,
      retries bigint NOT NULL DEFAULT 0
    );`;
}

/** Migration (schema.ts): what a sink that does long work in steps remembers between two of them. */
export function sinkSteps(seg: string): string {
  return `
    -- The rows that were there when a sink first ran, read in pieces as they were then (sinks/table-scan.ts).
    CREATE TABLE ${seg}.sink_scan (
      sink integer PRIMARY KEY,
      relation oid NOT NULL,
      -- Another one: the table was written anew, and its rows lie elsewhere.
      filenode oid NOT NULL,
      -- The transaction in which it began.
      began xid NOT NULL,
      -- Rows before this place were read.
      next tid NOT NULL,
      pages bigint NOT NULL
    );
    -- Rows that were changed or deleted before they were read, as they were.
    CREATE TABLE ${seg}.sink_scan_row (
      sink integer NOT NULL,
      n bigint GENERATED ALWAYS AS IDENTITY,
      "row" jsonb NOT NULL,
      PRIMARY KEY (sink, n)
    );
    -- Batches that were answered and are settled in parts: what is left of them must not be sent again (sinks/settle.ts).
    CREATE TABLE ${seg}.sink_settling (
      sink integer NOT NULL,
      batch bigint NOT NULL,
      message_id text NOT NULL,
      -- Of the records that were refused: seq, reason, status.
      refused jsonb NOT NULL,
      PRIMARY KEY (sink, batch)
    );`;
}

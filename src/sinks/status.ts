/** How sinks are and how they were: for `seg sync status`, the server's metrics, and people. */
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { stateVersion } from '../state/schema.ts';
import type { SinkState } from './place.ts';

export interface SinkStatus {
  readonly sink: string;
  readonly state: SinkState;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly since: string;
  /** Records that wait or are on their way. */
  readonly waiting: number;
  /** Seconds since the oldest of them was committed; 0 when none waits. */
  readonly lagSeconds: number;
  readonly rejected: number;
  /** Records the receiver holds; 0 for sinks that tell changes. */
  readonly held: number;
  readonly lastSentAt: string | null;
}

export interface SinkRun {
  readonly sink: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly status: string;
  readonly taken: number;
  readonly sent: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly batches: number;
  readonly retries: number;
  readonly message: string | null;
}

const iso = (column: string): string => `to_json(${column} AT TIME ZONE 'UTC') #>> '{}' || 'Z'`;

/** Sinks that have run at least once; none on a database without sinks. */
export async function readSinkStatus(db: Connection, project: Project): Promise<SinkStatus[]> {
  const stateSchema = stateSchemaOf(project);
  if (!(await hasSinks(db, stateSchema))) return [];
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await db.query<SinkStatus>(
    `SELECT s.name AS sink, s.state, s.reason, ${iso('s.since')} AS since,
       coalesce(q.waiting, 0)::integer AS waiting, coalesce(q.lag, 0)::float8 AS "lagSeconds",
       (SELECT count(*) FROM ${seg}.sink_rejections AS r WHERE r.sink_id = s.id)::integer AS rejected,
       (SELECT count(*) FROM ${seg}.sink_record AS r WHERE r.sink = s.id)::integer AS held,
       (SELECT ${iso('max(coalesce(r.ended_at, r.started_at))')} FROM ${seg}.sink_runs AS r WHERE r.sink = s.name AND r.sent > 0) AS "lastSentAt"
     FROM ${seg}.sink AS s
     LEFT JOIN (SELECT sink, count(*) AS waiting, extract(epoch FROM clock_timestamp() - min(at)) AS lag
                FROM ${seg}.sink_queue GROUP BY sink) AS q ON q.sink = s.id
     ORDER BY s.name`,
  );
  const known = new Set(Object.values(project.manifest.sinks).map(({ name }) => name));
  return rows.filter(({ sink }) => known.has(sink));
}

/** The last runs, the newest first. */
export async function readSinkRuns(
  db: Connection,
  project: Project,
  options: { readonly sinks?: ReadonlySet<string>; readonly limit: number },
): Promise<SinkRun[]> {
  const stateSchema = stateSchemaOf(project);
  if (!(await hasSinks(db, stateSchema))) return [];
  const { rows } = await db.query<SinkRun>(
    `SELECT sink, ${iso('started_at')} AS "startedAt", ${iso('ended_at')} AS "endedAt", status, taken, sent, unchanged, rejected,
       batches, retries, message
     FROM ${quoteIdentifier(stateSchema)}.sink_runs
     WHERE $1::jsonb IS NULL OR sink IN (SELECT jsonb_array_elements_text($1::jsonb))
     ORDER BY id DESC LIMIT $2::integer`,
    [options.sinks === undefined ? null : JSON.stringify([...options.sinks]), options.limit],
  );
  return rows;
}

/** Drops parked records, which then are not tried again until their row changes. Answers how many. */
export async function dropRejected(
  db: Connection,
  project: Project,
  sinks: ReadonlySet<string>,
  key: string | undefined,
): Promise<number> {
  const stateSchema = stateSchemaOf(project);
  if (!(await hasSinks(db, stateSchema))) return 0;
  const { rowCount } = await db.query(
    `DELETE FROM ${quoteIdentifier(stateSchema)}.sink_rejections
     WHERE sink IN (SELECT jsonb_array_elements_text($1::jsonb)) AND ($2::text IS NULL OR key = $2)`,
    [JSON.stringify([...sinks]), key ?? null],
  );
  return rowCount;
}

/** Parked records with their reasons, the oldest first. */
export async function readRejections(
  db: Connection,
  project: Project,
  options: { readonly sinks: ReadonlySet<string>; readonly limit: number },
): Promise<
  { sink: string; key: string; op: string; reason: string; attempts: number; rejectedAt: string }[]
> {
  const stateSchema = stateSchemaOf(project);
  if (!(await hasSinks(db, stateSchema))) return [];
  const { rows } = await db.query<{
    sink: string;
    key: string;
    op: string;
    reason: string;
    attempts: number;
    rejectedAt: string;
  }>(
    `SELECT sink, key, op, reason, attempts, ${iso('rejected_at')} AS "rejectedAt"
     FROM ${quoteIdentifier(stateSchema)}.sink_rejections
     WHERE sink IN (SELECT jsonb_array_elements_text($1::jsonb)) ORDER BY id LIMIT $2::integer`,
    [JSON.stringify([...options.sinks]), options.limit],
  );
  return rows;
}

async function hasSinks(db: Connection, stateSchema: string): Promise<boolean> {
  if ((await stateVersion(db, stateSchema)) === 0) return false;
  const { rows } = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${quoteIdentifier(stateSchema)}.sink_runs`,
  ]);
  return rows[0]!.there;
}

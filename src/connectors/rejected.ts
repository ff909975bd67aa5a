/**
 * The records that a source has refused (`<source>__rejected`), brought to light, ingested again, or dropped. A batch that
 * is ingested again and what is taken from the table for it are one transaction: whoever is killed meanwhile has done all
 * of it or nothing.
 */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { parseBoth } from '../json/exact-json.ts';
import type { SourceNode } from '../project/nodes.ts';
import { splitRecord } from './formats/csv.ts';
import type { RawRecord } from './formats/raw-record.ts';
import { takeAgain } from './ingest.ts';
import type { Taken } from './ingest.ts';
import { hasEndedOver } from './salvage.ts';
import { CsvMapper, JsonMapper } from './record-mapper.ts';
import type { RecordMapper } from './record-mapper.ts';
import { planSource } from './source-plan.ts';
import type { SourcePlan } from './source-plan.ts';
import { checkMoment, hasZone } from './time-text.ts';

/** Which of them; all without any of it. */
export interface RejectedFilter {
  /** Instants, the first included, the second not. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** A part of the reason, in whatever case. */
  readonly reason?: string | undefined;
  /** Where they came from: a file's name, `stdin`, `http`. */
  readonly origin?: string | undefined;
  /** The most of them, the oldest first. */
  readonly limit?: number | undefined;
}

export type RejectedRecord = {
  /** ISO 8601. */
  readonly rejected_at: string;
  readonly origin: string | null;
  readonly line: number | null;
  readonly reason: string | null;
  readonly payload: string | null;
};

export interface RejectedSummary {
  readonly count: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  /** The reason that most of them have. */
  readonly reason: string | null;
}

export interface Replayed {
  accepted: number;
  duplicate: number;
  /** Still in the table. */
  rejected: number;
}

/** Records of one transaction of a replay. */
const BATCH = 5000;

const INSTANT = (sql: string): string => `to_json(${sql} AT TIME ZONE 'UTC') #>> '{}' || 'Z'`;

/** null for a source without a table of rejected records: it is not deployed, or another's. */
export async function summarizeRejected(
  db: Connection,
  source: SourceNode,
  filter: RejectedFilter,
): Promise<RejectedSummary | null> {
  if (source.config.existing || !(await isThere(db, planSource(source)))) return null;
  const { where, params } = conditions(filter);
  const { rows } = await db.query<{ count: number; oldest: string; newest: string; reason: string }>(
    `SELECT count(*)::integer AS count, ${INSTANT('min(rejected_at)')} AS oldest, ${INSTANT('max(rejected_at)')} AS newest,
       mode() WITHIN GROUP (ORDER BY reason) AS reason
     FROM ${planSource(source).rejectedTable} WHERE ${where}`,
    params,
  );
  return rows[0]!;
}

/** The oldest first. @throws SegError SEG505, SEG520, SEG524 */
export async function readRejected(
  db: Connection,
  source: SourceNode,
  filter: RejectedFilter,
): Promise<RejectedRecord[]> {
  const plan = await planOf(db, source);
  const { where, params } = conditions(filter);
  const { rows } = await db.query<RejectedRecord>(
    `SELECT ${INSTANT('rejected_at')} AS rejected_at, origin, line, reason, payload
     FROM ${plan.rejectedTable} WHERE ${where} ORDER BY ${plan.rejectedTable}.rejected_at, ctid ${limitOf(filter)}`,
    params,
  );
  return rows;
}

/** Answers how many. @throws SegError as `readRejected` */
export async function dropRejected(
  db: Connection,
  source: SourceNode,
  filter: RejectedFilter,
): Promise<number> {
  const plan = await planOf(db, source);
  const { where, params } = conditions(filter);
  const which =
    filter.limit === undefined
      ? where
      : `ctid = ANY (ARRAY(SELECT ctid FROM ${plan.rejectedTable} WHERE ${where} ORDER BY rejected_at, ctid ${limitOf(filter)} FOR UPDATE))`;
  return (await db.query(`DELETE FROM ${plan.rejectedTable} WHERE ${which}`, params)).rowCount;
}

/**
 * Ingests them again, through the source's door as it is now. What is accepted, or is there already under its key, leaves the
 * table; what is refused stays, with the reason that it has now.
 * @param options.header names of the fields of records that are lines of CSV; without it those stay as they are
 * @throws SegError SEG526 for a header that names no field, and as `readRejected` and `ingest` do; batches before stay done
 */
export async function replayRejected(
  db: Connection,
  source: SourceNode,
  filter: RejectedFilter,
  options: { readonly header?: readonly string[] | undefined; readonly signal?: AbortSignal } = {},
): Promise<Replayed> {
  const plan = await planOf(db, source);
  const { rows } = await db.query<{ now: string }>(`SELECT ${INSTANT('clock_timestamp()')} AS now`);
  const job: Job = { plan, filter, form: formOf(source, plan, options.header), now: rows[0]!.now };
  const total: Replayed = { accepted: 0, duplicate: 0, rejected: 0 };
  let left = filter.limit ?? Infinity;
  let after: After | undefined;
  let size = BATCH;
  while (left > 0 && options.signal?.aborted !== true) {
    const most = Math.min(size, left);
    try {
      const step = await db.transaction((tx) => replayBatch(tx, job, after, most));
      if (step === undefined) break;
      total.accepted += step.accepted;
      total.duplicate += step.duplicate;
      total.rejected += step.rejected;
      left -= step.accepted + step.duplicate + step.rejected;
      ({ after } = step);
      size = Math.min(BATCH, size * 2);
    } catch (error) {
      // The embedded server has ended over one of them: that one is found, and left where it is.
      if (!hasEndedOver(error)) throw error;
      if (most > 1) {
        size = Math.ceil(most / 2);
        continue;
      }
      after = (await nextOf(db, job, after, 1))[0];
      total.rejected++;
      left--;
    }
  }
  return total;
}

interface Job {
  readonly plan: SourcePlan;
  readonly filter: RejectedFilter;
  readonly form: Form;
  /** What is refused from here on is not looked at again. */
  readonly now: string;
}

/** The last one that was looked at. */
interface After {
  readonly at: string;
  readonly ctid: string;
}

interface Letter extends After {
  readonly origin: string | null;
  readonly line: string | null;
  readonly payload: string | null;
}

/** undefined when there are no more. */
async function replayBatch(
  tx: Connection,
  { plan, form, ...job }: Job,
  after: After | undefined,
  most: number,
): Promise<(Replayed & { readonly after: After }) | undefined> {
  const letters = await nextOf(tx, { plan, form, ...job }, after, most);
  if (letters.length === 0) return undefined;
  const done: string[] = [];
  const refused: { ctid: string; reason: string }[] = [];
  const step = { accepted: 0, duplicate: 0, rejected: 0, after: letters.at(-1)! };
  for (const { origin, some } of byOrigin(letters)) {
    const read = some.flatMap((letter) => {
      const raw = form.read(letter);
      return raw === undefined ? [] : [{ letter, raw }];
    });
    const { accepted, duplicate, rejections }: Taken = await takeAgain(
      tx,
      plan,
      read.map(({ raw }) => raw),
      { origin, mapper: form.mapper },
    );
    const reasons = new Map(rejections.map(({ record, reason }) => [record, reason]));
    for (const { letter, raw } of read) {
      const reason = reasons.get(raw);
      if (reason === undefined) done.push(letter.ctid);
      else refused.push({ ctid: letter.ctid, reason });
    }
    step.accepted += accepted;
    step.duplicate += duplicate;
    step.rejected += some.length - read.length + rejections.length;
  }
  if (done.length > 0) {
    await tx.query(
      `DELETE FROM ${plan.rejectedTable} WHERE ctid = ANY (SELECT d.ctid::tid FROM jsonb_array_elements_text($1::jsonb) AS d (ctid))`,
      [JSON.stringify(done)],
    );
  }
  if (refused.length > 0) {
    await tx.query(
      `UPDATE ${plan.rejectedTable} AS t SET reason = r.reason, rejected_at = clock_timestamp()
       FROM json_to_recordset($1::text::json) AS r (ctid text, reason text)
       WHERE t.ctid = r.ctid::tid AND t.reason IS DISTINCT FROM r.reason`,
      [JSON.stringify(refused)],
    );
  }
  return step;
}

/** Whoever else replays them meanwhile finds them taken. */
async function nextOf(
  db: Connection,
  { plan, filter, now }: Job,
  after: After | undefined,
  most: number,
): Promise<Letter[]> {
  const { where, params } = conditions(filter);
  const next = params.length + 1;
  const behind =
    after === undefined
      ? ''
      : ` AND (rejected_at, ctid) > ($${next + 1}::timestamptz, $${next + 2}::text::tid)`;
  const { rows } = await db.query<Letter>(
    `SELECT ctid::text AS ctid, rejected_at::text AS at, origin, line::text AS line, payload FROM ${plan.rejectedTable}
     WHERE ${where} AND rejected_at <= $${next}::timestamptz${behind}
     ORDER BY rejected_at, ${plan.rejectedTable}.ctid LIMIT ${most} FOR UPDATE SKIP LOCKED`,
    [...params, now, ...(after === undefined ? [] : [after.at, after.ctid])],
  );
  return rows;
}

function byOrigin(letters: readonly Letter[]): { origin: string; some: Letter[] }[] {
  const runs: { origin: string; some: Letter[] }[] = [];
  for (const letter of letters) {
    const origin = letter.origin ?? 'rejected records';
    const last = runs.at(-1);
    if (last?.origin === origin) last.some.push(letter);
    else runs.push({ origin, some: [letter] });
  }
  return runs;
}

/** How payloads are read. */
interface Form {
  readonly mapper: RecordMapper;
  /** undefined for one that is of another form, of which nothing new can be said. */
  read(letter: Letter): RawRecord | undefined;
}

function formOf(source: SourceNode, plan: SourcePlan, header: readonly string[] | undefined): Form {
  const lineOf = ({ line }: Letter): number => Number(line ?? 0);
  if (header === undefined) {
    return {
      mapper: new JsonMapper(plan),
      read: (letter) =>
        letter.payload === null || !isJson(letter.payload)
          ? undefined
          : { line: lineOf(letter), text: letter.payload },
    };
  }
  const written = source.config['delimiter'];
  const delimiter = typeof written === 'string' ? written : ',';
  const mapper = new CsvMapper(plan, header);
  return {
    mapper,
    read(letter) {
      const text = letter.payload;
      if (text === null || isJson(text)) return undefined;
      try {
        return { line: lineOf(letter), text, fields: splitRecord(text, delimiter) };
      } catch {
        return undefined;
      }
    },
  };
}

function isJson(text: string): boolean {
  try {
    parseBoth(text);
    return true;
  } catch {
    return false;
  }
}

async function planOf(db: Connection, source: SourceNode): Promise<SourcePlan> {
  const plan = planSource(source);
  if (await isThere(db, plan)) return plan;
  throw segError('SEG505', `source "${plan.name}" is not in the database`, {
    hint: 'Run "seg run" first; it creates the tables of the sources.',
    exitCode: 1,
  });
}

async function isThere(db: Connection, plan: SourcePlan): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    plan.rejectedTable,
  ]);
  return rows[0]!.there;
}

function conditions({ since, until, reason, origin }: RejectedFilter): {
  readonly where: string;
  readonly params: string[];
} {
  const params: string[] = [];
  const given = (value: string): string => `$${params.push(value)}::text`;
  const parts = [
    ...(since === undefined ? [] : [`rejected_at >= ${given(instantOf(since))}::timestamptz`]),
    ...(until === undefined ? [] : [`rejected_at < ${given(instantOf(until))}::timestamptz`]),
    ...(reason === undefined ? [] : [`strpos(lower(reason), lower(${given(reason)})) > 0`]),
    ...(origin === undefined ? [] : [`origin = ${given(origin)}`]),
  ];
  return { where: parts.length === 0 ? 'true' : parts.join(' AND '), params };
}

/** @throws SegError SEG524 */
function instantOf(text: string): string {
  if (checkMoment(text, 'timestamp') === undefined) return hasZone(text) ? text : `${text} UTC`;
  throw segError('SEG524', `"${text}" is no time`, {
    hint: 'Write an instant of ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31.',
  });
}

function limitOf({ limit }: RejectedFilter): string {
  return limit === undefined ? '' : `LIMIT ${limit}`;
}

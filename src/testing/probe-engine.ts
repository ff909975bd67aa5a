/** A ScenarioEngine over plain tables and views of a PGlite, for the runner's own tests: what seg would deploy, by hand. */
import type { ChangeBatch, JsonRow, Position } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { consolidateChanges } from './consolidate-changes.ts';
import type {
  IngestInput,
  IngestOutcome,
  NamedRelation,
  ScenarioEngine,
  ViewVerified,
} from './scenario-engine.ts';
import { StepMistake } from './step-outcome.ts';

/** Tables are sources with their primary key; views are models with the key named in `keys`. */
export async function probeEngine(
  schema: string,
  keys: Record<string, string[]> = {},
): Promise<ScenarioEngine> {
  const db = await openMemoryDatabase();
  await db.exec(`create table "clock" as select '2020-01-01 00:00:00+00'::timestamptz as "now"; ${schema}`);
  return new ProbeEngine(db, keys);
}

class ProbeEngine implements ScenarioEngine {
  db: PGliteDatabase;
  readonly #keys: Record<string, string[]>;
  readonly #snapshots: Map<string, JsonRow[]>[] = [];
  #kept: string[] = [];

  constructor(db: PGliteDatabase, keys: Record<string, string[]>) {
    this.db = db;
    this.#keys = keys;
  }

  find(name: string): NamedRelation {
    const known = Object.keys(this.#keys);
    if (!known.includes(name))
      throw new StepMistake(`unknown model "${name}"`, { hint: didYouMean(name, known) });
    return { id: name, title: `model "${name}"`, sql: quoteIdentifier(name), key: this.#keys[name]! };
  }

  async keepChanges(ids: readonly string[]): Promise<void> {
    this.#kept = [...ids];
  }

  async ingest(source: string, input: IngestInput): Promise<IngestOutcome> {
    const records =
      input.kind === 'records'
        ? input.records
        : input.text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as JsonRow);
    const table = quoteIdentifier(source);
    let accepted = 0;
    const rejected: { line: number; reason: string }[] = [];
    for (const [i, record] of records.entries()) {
      try {
        const { rowCount } = await this.db.query(
          `insert into ${table} select * from jsonb_populate_record(null::${table}, $1::text::jsonb) on conflict do nothing`,
          [JSON.stringify(record)],
        );
        accepted += rowCount;
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        rejected.push({ line: i + 1, reason: error.message });
      }
    }
    return { accepted, duplicate: records.length - accepted - rejected.length, rejected };
  }

  async loadSeed(seed: string, rows: readonly JsonRow[] | null): Promise<void> {
    await this.db.exec(`delete from ${quoteIdentifier(seed)}`);
    await this.ingest(seed, { kind: 'records', records: rows ?? [] });
  }

  async run(): Promise<void> {}

  generate(): JsonRow[] {
    return [{ id: 100, name: 'generated' }];
  }

  render(sql: string): string {
    return sql;
  }

  async readClock(): Promise<string> {
    const { rows } = await this.db.query<{ now: string }>('select "now"::text from "clock"');
    return rows[0]!.now;
  }

  async setClock(instant: string): Promise<void> {
    const { rowCount } = await this.db.query(
      'update "clock" set "now" = $1::timestamptz where "now" <= $1::timestamptz',
      [instant],
    );
    if (rowCount === 0) throw segError('SEG699', 'time only moves forward', { hint: 'Use a later instant.' });
  }

  async restart(): Promise<void> {
    const image = await this.db.dump();
    await this.db.close();
    this.db = await openMemoryDatabase({ from: image });
  }

  async position(): Promise<Position> {
    const snapshot = new Map<string, JsonRow[]>();
    for (const id of this.#kept) {
      const { rows } = await this.db.query<{ row: JsonRow }>(
        `select to_jsonb(t) as row from ${quoteIdentifier(id)} t`,
      );
      snapshot.set(
        id,
        rows.map(({ row }) => row),
      );
    }
    return String(this.#snapshots.push(snapshot) - 1);
  }

  async changes(id: string, from: Position): Promise<readonly ChangeBatch[]> {
    const before = this.#snapshots[Number(from)]!.get(id)!;
    const position = await this.position();
    const after = this.#snapshots[Number(position)]!.get(id)!;
    const keyOf = (row: JsonRow): JsonRow | null =>
      this.#keys[id]!.length === 0
        ? null
        : Object.fromEntries(this.#keys[id]!.map((name) => [name, row[name]!]));
    const changes = [
      ...before.map((row) => ({ op: 'delete' as const, key: keyOf(row), row: null, before: row })),
      ...after.map((row) => ({ op: 'insert' as const, key: keyOf(row), row, before: null })),
    ];
    return [{ position, at: '', changes: consolidateChanges([{ position, at: '', changes }]) }];
  }

  async sent(): Promise<readonly []> {
    return [];
  }

  async verify(): Promise<readonly ViewVerified[]> {
    return [{ title: 'model "broken"', missing: 0, extra: 2, samples: ['+ {"id":1}'] }];
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

/** Change feeds of the streaming engines on sessions that answer from a script. */
import { describe, expect, it } from 'vitest';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { QueryResult } from '../../src/engines/connection.ts';
import type { FeedItem, FeedRequest } from '../../src/feeds/hub.ts';
import { followMaterialize } from '../../src/streaming/follow-materialize.ts';
import { followRisingwave } from '../../src/streaming/follow-risingwave.ts';
import type { FeedSession } from '../../src/streaming/feed-session.ts';
import { timedPosition } from '../../src/streaming/timed-position.ts';

type Answer = readonly (readonly unknown[])[] | Error;

interface Script {
  /** Columns of a FETCH. */
  readonly columns: readonly string[];
  /** The answers to FETCH, one session after the other. */
  readonly sessions: readonly (readonly Answer[])[];
}

class Sessions {
  readonly sent: string[] = [];
  readonly #script: Script;
  /** How attempts to come back fail, one after the other. */
  readonly refusals: Error[] = [];
  opened = 0;
  released = 0;

  constructor(script: Script) {
    this.#script = script;
  }

  readonly connect = (): Promise<FeedSession> => {
    const refused = this.opened > 0 ? this.refusals.shift() : undefined;
    if (refused !== undefined) return Promise.reject(refused);
    const answers = [...(this.#script.sessions[this.opened++] ?? [])];
    if (this.opened > this.#script.sessions.length) throw new Error('no further session in the script');
    return Promise.resolve({
      query: (sql) => {
        this.sent.push(sql);
        if (/rw_columns/.test(sql)) return Promise.resolve(result(['name'], [['id'], ['v']]));
        if (!sql.startsWith('FETCH')) return Promise.resolve(result([], []));
        const answer = answers.shift() ?? [];
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(result(this.#script.columns, answer));
      },
      release: () => void this.released++,
    });
  };

  get declared(): string[] {
    return this.sent
      .filter((sql) => sql.startsWith('DECLARE'))
      .map((sql) => sql.replace(/^.*"x__changes" /, ''));
  }
}

function result(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): QueryResult<Record<string, unknown>> {
  return {
    rows: rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]]))),
    rowCount: rows.length,
    fields: columns.map((name) => ({ name, typeOid: 25 })),
  };
}

const followed = { label: 'model "x"', relation: { schema: 's', name: 'x' }, key: ['id'] };
const subscription = { relation: { schema: 's', name: 'x__changes' }, since: 400 };

async function collect(feed: AsyncGenerator<FeedItem>, most = 100): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for await (const item of feed) {
    items.push(item);
    if (items.length === most) break;
  }
  return items;
}

function lost(): DatabaseError {
  return new DatabaseError('the connection to the server was lost', { sqlstate: '08006' });
}

describe('RisingWave', () => {
  const columns = ['x.id', 'x.v', 'op', 'rw_timestamp'];
  const follow = (sessions: Sessions, options: Omit<FeedRequest, 'model'> = { once: true }) =>
    followRisingwave(followed, subscription, sessions.connect, options);
  const r = (ms: number) => timedPosition('r', BigInt(ms));

  it('gives a snapshot, then each checkpoint as a batch, with the columns called as in the view', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [
        [
          [['1', 'a', 'Insert', null]],
          [
            ['2', 'b', 'Insert', '1000'],
            ['3', 'c', 'Insert', '2000'],
          ],
          [],
        ],
      ],
    });
    expect(await collect(follow(sessions))).toMatchObject([
      { snapshot: { position: r(0), rows: [{ id: '1', v: 'a' }] } },
      {
        batch: {
          position: r(1000),
          at: '1970-01-01T00:00:01.000Z',
          changes: [{ op: 'insert', key: { id: '2' }, row: { id: '2', v: 'b' } }],
        },
      },
      {
        batch: {
          position: r(2000),
          at: '1970-01-01T00:00:02.000Z',
          changes: [{ op: 'insert', key: { id: '3' }, row: { id: '3', v: 'c' } }],
        },
      },
    ]);
    expect(sessions.declared).toEqual(['FULL']);
    expect(sessions.released).toBe(1);
  });

  it('joins an update that two fetches have cut in two', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [[[['1', 'a', 'UpdateDelete', '1000']], [['1', 'b', 'UpdateInsert', '1000']], []]],
    });
    const items = await collect(follow(sessions, { from: r(500), once: true }));
    expect(items).toMatchObject([
      { batch: { changes: [{ op: 'update', key: { id: '1' }, row: { v: 'b' }, before: { v: 'a' } }] } },
    ]);
    expect(sessions.declared).toEqual(['SINCE 501']);
  });

  it('goes on after a lost connection behind the last whole batch, and gives nothing twice', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [
        [
          [
            ['1', 'a', 'Insert', '1000'],
            ['2', 'b', 'Insert', '2000'],
          ],
          lost(),
        ],
        [
          [
            ['2', 'b', 'Insert', '2000'],
            ['3', 'c', 'Insert', '2000'],
          ],
          [],
        ],
      ],
    });
    const items = await collect(follow(sessions, { from: r(500), once: true }));
    expect(items).toMatchObject([
      { batch: { position: r(1000), changes: [{ key: { id: '1' } }] } },
      { batch: { position: r(2000), changes: [{ key: { id: '2' } }, { key: { id: '3' } }] } },
    ]);
    expect(sessions.declared).toEqual(['SINCE 501', 'SINCE 1001']);
    expect(sessions.released).toBe(2);
  });

  it('waits for an engine that restarts: attempts to come back may fail, too', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [
        [[['1', 'a', 'Insert', '1000']], lost()],
        [
          [
            ['1', 'a', 'Insert', '1000'],
            ['2', 'b', 'Insert', '2000'],
          ],
          [],
        ],
      ],
    });
    sessions.refusals.push(lost(), lost());
    const items = await collect(follow(sessions, { from: r(500), once: true }));
    expect(items).toMatchObject([{ batch: { position: r(1000) } }, { batch: { position: r(2000) } }]);
    expect(sessions.refusals).toEqual([]);
  });

  it('declares a cursor anew that has lived too long, or whose beginning lies ahead of the clock', async () => {
    const error = (text: string) =>
      new DatabaseError(`Failed to execute the statement\n\nCaused by:\n  ${text}`, { sqlstate: 'XX000' });
    const sessions = new Sessions({
      columns,
      sessions: [
        [
          error(
            'The cursor has exceeded its maximum lifetime, please recreate it (close then declare cursor).',
          ),
        ],
        [error('rw_timestamp is too large, need to be less than the current unix_millis')],
        [[]],
      ],
    });
    expect(await collect(follow(sessions, { from: r(500), once: true }))).toEqual([]);
    expect(sessions.declared).toEqual(['SINCE 501', 'SINCE 501', 'SINCE 501']);
  });

  it.each([
    "rw_timestamp is too small, need to be large than the current unix_millis - subscription's retention time",
    'No data found for rw_timestamp 501, data may have been recycled, please recreate cursor',
  ])('says that changes are gone: %s', async (text) => {
    const sessions = new Sessions({ columns, sessions: [[new DatabaseError(text, { sqlstate: 'XX000' })]] });
    await expect(collect(follow(sessions, { from: r(500) }))).rejects.toThrow(
      /changes of model "x" after r0000000001f4 are not kept any more/,
    );
  });

  it('does not go on from a position of the view as it was before it was rebuilt', async () => {
    const sessions = new Sessions({ columns, sessions: [] });
    await expect(collect(follow(sessions, { from: r(399) }))).rejects.toThrow(/are not kept any more/);
    const dropped = new Sessions({
      columns,
      sessions: [[new DatabaseError('table id 1234 has been dropped', { sqlstate: 'XX000' })]],
    });
    await expect(collect(follow(dropped, { from: r(500) }))).rejects.toThrow(/are not kept any more/);
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    stop.abort();
    const sessions = new Sessions({ columns, sessions: [] });
    expect(await collect(follow(sessions, { signal: stop.signal }))).toEqual([]);
  });
});

describe('Materialize', () => {
  const columns = ['mz_timestamp', 'mz_progressed', 'mz_diff', 'id', 'v'];
  const follow = (sessions: Sessions, options: Omit<FeedRequest, 'model'> = { once: true }) =>
    followMaterialize(followed, sessions.connect, options);
  const m = (ms: number) => timedPosition('m', BigInt(ms));
  const progress = (at: number) => [String(at), true, null, null, null];
  const row = (at: number, diff: number, id: string, v: string) => [String(at), false, String(diff), id, v];

  it('gives the snapshot of its time, and afterwards what has progressed', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [
        [
          [progress(1000), row(1000, 2, '1', 'a')],
          [progress(1001)],
          [row(1500, -2, '1', 'a')],
          [progress(2000)],
        ],
      ],
    });
    expect(await collect(follow(sessions, {}), 2)).toMatchObject([
      { snapshot: { position: m(1001), rows: [{ id: '1' }, { id: '1' }] } },
      { batch: { position: m(1501), changes: [{ op: 'delete' }, { op: 'delete' }] } },
    ]);
    expect(sessions.sent.slice(0, 2)).toEqual([
      'BEGIN',
      'DECLARE "seg_feed" CURSOR FOR SUBSCRIBE (SELECT * FROM "s"."x") WITH (PROGRESS)',
    ]);
  });

  it('joins updates over fetches, drops what cancels out, and never gives half a timestamp', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [
        [
          [progress(999), row(1000, 1, '1', 'b')],
          [row(1000, -1, '1', 'a'), row(1000, 1, '2', 'x')],
          [row(1000, -1, '2', 'x'), progress(1001)],
        ],
      ],
    });
    const items = await collect(follow(sessions, { from: m(1000) }), 1);
    expect(items).toMatchObject([
      {
        batch: {
          position: m(1001),
          changes: [{ op: 'update', key: { id: '1' }, row: { v: 'b' }, before: { v: 'a' } }],
        },
      },
    ]);
    expect(sessions.sent[1]).toContain('WITH (PROGRESS, SNAPSHOT = false) AS OF 999');
  });

  it('goes on after a lost connection from what has progressed', async () => {
    const sessions = new Sessions({
      columns,
      sessions: [
        [[progress(999), row(1000, 1, '1', 'a'), progress(1200), row(1300, 1, '2', 'b')], lost()],
        [[progress(1199), row(1300, 1, '2', 'b'), progress(1400)]],
      ],
    });
    const items = await collect(follow(sessions, { from: m(1000) }), 2);
    expect(items).toMatchObject([
      { batch: { position: m(1001), changes: [{ key: { id: '1' } }] } },
      { batch: { position: m(1301), changes: [{ key: { id: '2' } }] } },
    ]);
    expect(sessions.sent.filter((sql) => sql.startsWith('DECLARE'))[1]).toContain('AS OF 1199');
  });

  it.each(['could not find a valid timestamp for the query', 'Timestamp (499) is not valid for all inputs'])(
    'says that changes are gone: %s',
    async (text) => {
      const sessions = new Sessions({
        columns,
        sessions: [[new DatabaseError(text, { sqlstate: '22000' })]],
      });
      await expect(collect(follow(sessions, { from: m(500) }))).rejects.toThrow(/are not kept any more/);
    },
  );
});

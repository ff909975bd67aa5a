// Memberships, sizes and toggles in memory with @tanstack/db-ivm: no SQL, no durability, one process.
import { D2, filter, groupBy, groupByOperators, map, output, reduce } from '@tanstack/db-ivm';
import { join } from 'node:path';
import { deploy, openDatabase, projectNodes, put, recordsOf } from '../lib/project-database.mjs';
import { figure, inTurn, rate, timed } from '../lib/measure.mjs';

const { sum } = groupByOperators;

export const about =
  'memberships, sizes, toggles: seg (SQL, on disk) and @tanstack/db-ivm (JavaScript, in memory)';

export async function run({ quick, history, scratch, say, table }) {
  const size = quick ? history : Math.min(history, 200_000);
  const project = await projectNodes();
  const source = project.named('segment_events');
  const take = recordsOf('segment_events', { seed: 1 });
  const db = await openDatabase(join(scratch, 'seg'));
  await deploy(db, project, ['segment_events']);
  const memory = new InMemory();
  for (let done = 0; done < size; done += 10_000) {
    const records = take(10_000);
    await put(db, source, records);
    memory.put(records);
  }
  await deploy(db, project, ['segment_memberships', 'segment_sizes', 'segment_toggles']);
  await db.exec('VACUUM ANALYZE');
  await db.checkpoint();
  const rows = [];
  for (const [count, rounds] of [
    [1, 100],
    [100, 20],
    [10_000, quick ? 2 : 6],
  ]) {
    let records = [];
    const result = await inTurn(rounds, {
      seg: async () => {
        records = take(count);
        return timed(() => put(db, source, records));
      },
      memory: () => timed(async () => memory.put(records)),
    });
    rows.push([
      count.toLocaleString('en-US'),
      figure(result.seg),
      figure(result.memory),
      rate(count, result.seg),
      rate(count, result.memory),
    ]);
    say(rows.at(-1).join('  '));
  }
  const stored = (await db.query('SELECT count(*) AS n FROM segmentation.segment_memberships')).rows[0].n;
  if (Number(stored) !== memory.memberships) {
    throw new Error(`${stored} memberships in seg, ${memory.memberships} in memory`);
  }
  table(
    ['events a batch', 'seg, ms', 'db-ivm, ms', 'seg, events/s', 'db-ivm, events/s'],
    rows,
    `History: ${size.toLocaleString('en-US')} events.`,
  );
  await db.close();
}

/** The three models as a dataflow graph; what comes out is applied to Maps, as a program that reads them would need. */
class InMemory {
  #graph = new D2();
  #input = this.#graph.newInput();
  #position = 0;
  #stored = new Map();

  constructor() {
    const keyed = this.#input.pipe(
      map((event) => [`${event.vendor}\u0000${event.segment}\u0000${event.user}`, event]),
    );
    const memberships = keyed.pipe(reduce((values) => [[membershipOf(values), 1]]));
    memberships.pipe(output((changes) => this.#apply(changes)));
    memberships.pipe(
      filter(([, { member }]) => member),
      map(([, { vendor, segment }]) => ({ vendor, segment })),
      groupBy(({ vendor, segment }) => ({ vendor, segment }), { members: sum(() => 1) }),
      output(() => {}),
    );
    this.#input.pipe(
      groupBy(({ vendor, segment }) => ({ vendor, segment }), {
        adds: sum(({ remove }) => (remove ? 0 : 1)),
        removes: sum(({ remove }) => (remove ? 1 : 0)),
      }),
      output(() => {}),
    );
    keyed.pipe(
      reduce((values) => togglesOf(values)),
      output(() => {}),
    );
    this.#graph.finalize();
  }

  get memberships() {
    return this.#stored.size;
  }

  put(records) {
    this.#input.sendData(
      records.map((record) => [
        {
          position: ++this.#position,
          event: record.event,
          at: record.timestamp,
          user: record.user,
          vendor: record.segment.vendor,
          segment: record.segment.name,
          value: record.value ?? null,
          remove: record.remove ?? false,
        },
        1,
      ]),
    );
    this.#graph.run();
  }

  #apply(changes) {
    for (const [[key, value], weight] of changes.getInner()) {
      if (weight > 0) this.#stored.set(key, value);
      else if (this.#stored.get(key) === value) this.#stored.delete(key);
    }
  }
}

function membershipOf(values) {
  let first = null;
  let last = null;
  let latest = null;
  let valued = null;
  for (const [event] of values) {
    if (!event.remove && (first === null || event.at < first)) first = event.at;
    if (last === null || event.at > last) last = event.at;
    if (latest === null || event.position > latest.position) latest = event;
    if (event.value !== null && (valued === null || event.position > valued.position)) valued = event;
  }
  const { vendor, segment, user } = latest;
  return { vendor, segment, user, first, last, member: !latest.remove, value: valued?.value ?? null };
}

function togglesOf(values) {
  const events = values.map(([event]) => event).sort((a, b) => a.position - b.position);
  const toggles = [];
  let added = false;
  for (const [i, event] of events.entries()) {
    if (added && event.remove !== events[i - 1].remove) toggles.push([event, 1]);
    if (!event.remove) added = true;
  }
  return toggles;
}

// `npm run test:engine -- --target NAME`: deploys the project to the engine that the profile's target points at, in schemas of
// its own (seg_conformance, _seg_conformance), takes fixed streams in, and compares every model and every change feed
// with what the embedded engine answers. Prints a table; exit code 1 when something differs. `--keep` leaves the schemas.
// Several `--target`s are compared with the same answers, one after the other.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const { values: flags } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: [] },
    keep: { type: 'boolean', default: false },
    'skip-build': { type: 'boolean', default: false },
  },
});
if (flags.target.length === 0) {
  console.error('usage: npm run test:engine -- --target NAME [--keep]');
  process.exit(2);
}
if (!flags['skip-build']) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
const dist = (path) => import(join(root, 'dist', `${path}.js`));
const { generate } = await dist('connectors/generate');
const { ingest } = await dist('connectors/ingest');
const { openDatabase, dataDirectory } = await dist('engines/registry');
const { followDirectory } = await dist('feeds/follow');
const { followServer } = await dist('feeds/follow-server');
const { loadProject } = await dist('project/load');
const { executeGraph } = await dist('run/execute');
const { dialectOf } = await dist('streaming/dialect-of');
const { followStreaming } = await dist('streaming/follow');
const { jsonRow } = await dist('streaming/json-row');
const { streamingDoor } = await dist('streaming/record-door');
const { renderDiagnostics } = await dist('diagnostics/render');

const SCHEMA = 'seg_conformance';
const STREAMS = [
  ['segment_events', { count: 400, users: 20, segments: 6 }],
  ['activity_events', { count: 300, users: 15 }],
  ['track_events', { count: 300, users: 15 }],
  ['pageviews', { count: 400, users: 10 }],
];

const folder = mkdtempSync(join(tmpdir(), 'seg-conformance-'));
let status = 1;
try {
  status = await main();
} catch (error) {
  console.error(error.diagnostics === undefined ? error : renderDiagnostics(error.diagnostics));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);

async function main() {
  const reference = await answersOf({ type: 'pglite', path: join(folder, 'reference') }, 'reference');
  let wrong = 0;
  // The embedded engine's own feeds, too, add up to its rows.
  for (const [name, { rows, folded = rows }] of reference) {
    const verdict = difference(rows, folded);
    if (verdict !== undefined) console.log(`reference: feed ${name}  ${verdict}`);
    wrong += Number(verdict !== undefined);
  }
  for (const name of flags.target) {
    const { target } = await loadProject({ projectDir: root, target: name, env: { ...process.env } });
    const fields =
      target.type === 'pglite' ? { ...target.fields, path: join(folder, 'tested') } : target.fields;
    wrong += compare(target.type, reference, await answersOf(fields, `target "${name}"`));
  }
  return wrong === 0 ? 0 : 1;
}

/** Prints the table; answers how many answers differ. */
function compare(type, reference, tested) {
  const lines = [['what', 'rows', 'verdict']];
  let wrong = 0;
  for (const [name, { rows: expected }] of reference) {
    const { rows: actual, folded } = tested.get(name);
    const verdict = difference(expected, actual);
    const feed = folded === undefined ? undefined : difference(expected, folded);
    wrong += Number(verdict !== undefined) + Number(feed !== undefined);
    lines.push([`model ${name}`, String(actual.length), verdict ?? 'identical']);
    if (folded !== undefined) lines.push([`feed  ${name}`, String(folded.length), feed ?? 'identical']);
  }
  const widths = [0, 1].map((i) => Math.max(...lines.map((line) => line[i].length)));
  for (const [what, rows, verdict] of lines)
    console.log(`${what.padEnd(widths[0])}  ${rows.padStart(widths[1])}  ${verdict}`);
  console.log(
    wrong === 0
      ? `${type}: ${lines.length - 1} answers, all identical with the embedded engine's`
      : `${type}: ${wrong} of ${lines.length - 1} answers differ`,
  );
  return wrong;
}

/** Deploys, ingests, reads: rows of each model, and what its feed adds up to. */
async function answersOf(fields, label) {
  const project = await projectOn(fields);
  const { target } = project;
  const dialect = dialectOf(target);
  const opening = { root, command: 'seg test:engine' };
  const withDatabase = async (work) => {
    const db = await openDatabase(target, opening);
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  };
  const nodes = Object.values(project.manifest.nodes);
  const models = nodes.filter(
    ({ resource_type: type, config }) => type === 'model' && config.materialized !== 'ephemeral',
  );
  const followed = models.filter(
    ({ config }) =>
      config.materialized === 'materialized_view' && (dialect !== undefined || config.changelog !== false),
  );
  console.error(`${label} (${target.type}): deploying`);
  await withDatabase(async (db) => {
    await dropSchemas(db);
    await run(
      project,
      db,
      'build',
      nodes.filter(({ resource_type: type }) => type === 'model' || type === 'seed'),
    );
  });
  const states = new Map();
  for (const model of followed) states.set(model.name, await follow(project, model, undefined, opening));
  console.error(`${label} (${target.type}): taking ${STREAMS.length} streams in`);
  const answers = await withDatabase(async (db) => {
    for (const [stream, options] of STREAMS)
      await take(project, db, stream, [...generate(stream, { seed: 7, ...options })]);
    await take(project, db, 'identity_links', identityLinks());
    await run(
      project,
      db,
      'test',
      nodes.filter(({ resource_type: type }) => type === 'test'),
    );
    const found = new Map();
    for (const model of models) {
      const { rows, fields: columns } = await db.query(`select * from ${model.relation_name}`);
      found.set(model.name, { rows: rows.map((row) => canonical(jsonRow(row, columns))).sort() });
    }
    return found;
  });
  for (const model of followed) {
    const { rows } = await follow(project, model, states.get(model.name), opening);
    answers.get(model.name).folded = rows.map(canonical).sort();
  }
  if (!flags.keep) await withDatabase((db) => dropSchemas(db));
  return answers;
}

async function projectOn(fields) {
  const profilesDir = mkdtempSync(join(folder, 'profile-'));
  const output = { threads: 4, ...fields, schema: SCHEMA, state_schema: `_${SCHEMA}` };
  const profile = { segmentation: { target: 'conformance', outputs: { conformance: output } } };
  // It may hold a password: readable by this user alone, and gone at the end.
  writeFileSync(join(profilesDir, 'profiles.yml'), JSON.stringify(profile), { mode: 0o600 });
  return loadProject({ projectDir: root, profilesDir, target: 'conformance', env: { ...process.env } });
}

async function dropSchemas(db) {
  for (const schema of [SCHEMA, `_${SCHEMA}`]) await db.exec(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
}

async function run(project, db, mode, nodes) {
  const failures = [];
  await executeGraph({
    project,
    load: { projectDir: root, env: { ...process.env } },
    db,
    mode,
    selected: new Set(nodes.map(({ unique_id: id }) => id)),
    listener: (event) => {
      if (event.kind !== 'nodeFinish') return;
      const { node, status: outcome, message, diagnostics } = event.result;
      if (!['success', 'no-op', 'pass', 'warn'].includes(outcome))
        failures.push(
          `${node.resource_type} "${node.name}": ${outcome} ${message ?? ''}\n${renderDiagnostics(diagnostics ?? [])}`,
        );
    },
  });
  if (failures.length > 0) throw new Error(failures.join('\n'));
}

/** References of the activity stream, linked in a chain of three and a pair. */
function identityLinks() {
  const [, options] = STREAMS.find(([stream]) => stream === 'activity_events');
  const seen = [...generate('activity_events', { seed: 7, ...options })].map(({ id_type, id }) => ({
    id_type,
    id,
  }));
  const known = [...new Map(seen.map((reference) => [JSON.stringify(reference), reference])).values()];
  const link = (a, b) => ({ ...known[a], linked_id_type: known[b].id_type, linked_id: known[b].id });
  return [link(0, 1), link(1, 2), link(4, 3)];
}

async function take(project, db, stream, records) {
  const source = Object.values(project.manifest.sources).find(({ name }) => name === stream);
  const door = streamingDoor(db, project, source, 'conformance');
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  const { rejected } = await ingest(db, source, lines, { format: 'json', origin: 'conformance', door });
  if (rejected > 0) throw new Error(`${rejected} records of ${stream} were rejected`);
  await door?.finish();
}

/** What a model's feed adds up to, from a position on, or from its snapshot. */
async function follow(project, model, before, opening) {
  const { target } = project;
  const options = { once: true, from: before?.position };
  let rows = [...(before?.rows ?? [])];
  let position = before?.position;
  const items = async function* () {
    if (target.type === 'pglite') {
      yield* followDirectory(dataDirectory(target, root), project, model.unique_id, options);
      return;
    }
    const db = await openDatabase(target, opening);
    try {
      yield* dialectOf(target) === undefined
        ? followServer(db, project, model.unique_id, options)
        : followStreaming(db, project, model.unique_id, options);
    } finally {
      await db.close();
    }
  };
  for await (const item of items()) {
    if ('snapshot' in item) {
      rows = [...item.snapshot.rows];
      position = item.snapshot.position;
      continue;
    }
    position = item.batch.position;
    for (const { row, before: old } of item.batch.changes) {
      if (old !== null && old !== undefined) {
        const at = rows.findIndex((known) => canonical(known) === canonical(old));
        if (at === -1)
          throw new Error(`the feed of ${model.name} takes away a row that is not there: ${canonical(old)}`);
        rows.splice(at, 1);
      }
      if (row !== null && row !== undefined) rows.push(row);
    }
  }
  return { rows, position };
}

/** JSON that is equal for equal values: keys in order, times without trailing zeros, numbers as numbers. */
function canonical(value) {
  return JSON.stringify(plain(value));
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((key) => [key, plain(value[key])]),
    );
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return value;
  const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00(?::?00)?)$/.exec(value);
  if (time !== null) return `${time[1]}T${time[2]}${(time[3] ?? '').replace(/\.?0+$/, '')}Z`;
  return value;
}

function difference(expected, actual) {
  if (JSON.stringify(expected) === JSON.stringify(actual)) return undefined;
  const missing = expected.filter((row) => !actual.includes(row));
  const extra = actual.filter((row) => !expected.includes(row));
  const sample = [
    ...missing.slice(0, 1).map((row) => `missing ${row}`),
    ...extra.slice(0, 1).map((row) => `extra ${row}`),
  ];
  return `DIFFERS: ${missing.length} missing, ${extra.length} extra; ${sample.join('; ')}`.slice(0, 700);
}

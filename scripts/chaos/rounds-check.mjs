// Opens the database of the project that a line on standard input names, alone, and writes what is in it, as one line of JSON: the numbers of
// all records, and the models that differ from their queries. With `take` it takes records as well. For the next line it opens it again.
import process from 'node:process';
import { createInterface } from 'node:readline';
import { ingestRecords } from '../../dist/connectors/ingest.js';
import { openDatabase } from '../../dist/engines/registry.js';
import { loadProject } from '../../dist/project/load.js';
import { verify } from '../../dist/verify/verify.js';

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await check(JSON.parse(line)).catch((error) => ({ failure: error.message }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function check({ root, take }) {
  const project = await loadProject({ projectDir: root, env: process.env });
  const db = await openDatabase(project.target, { root, command: 'chaos' });
  try {
    const [source] = Object.values(project.manifest.sources);
    if (take !== undefined) await ingestRecords(db, source, take, 'chaos');
    const { rows } = await db.query('select id from chaos.events');
    const ids = rows.map(({ id }) => id);
    const wrong = (await verify(db, {})).filter(({ missing, extra }) => missing + extra > 0);
    return { ids, different: new Set(ids).size, wrong: wrong.map(({ name }) => name) };
  } finally {
    await db.close();
  }
}

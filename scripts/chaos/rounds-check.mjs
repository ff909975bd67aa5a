// Opens the project's database, alone, and writes what is in it: the numbers of all records, and the models that differ from their queries.
import process from 'node:process';
import { openDatabase } from '../../dist/engines/registry.js';
import { loadProject } from '../../dist/project/load.js';
import { verify } from '../../dist/verify/verify.js';

const [root] = process.argv.slice(2);
try {
  const project = await loadProject({ projectDir: root, env: process.env });
  const db = await openDatabase(project.target, { root, command: 'chaos' });
  const { rows } = await db.query('select id from chaos.events');
  const ids = rows.map(({ id }) => id);
  const views = await verify(db, {});
  await db.close();
  const wrong = views.filter(({ missing, extra }) => missing + extra > 0).map(({ name }) => name);
  process.stdout.write(JSON.stringify({ ids, different: new Set(ids).size, wrong, views: views.length }));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

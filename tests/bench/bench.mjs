// Benchmarks: `npm run bench` runs all, `npm run bench -- pg_ivm graph` some, `--list` names them.
// `--quick` takes small histories (a minute or two each); `--history N` sets the longest one. `--seconds N` and `--rate N` are
// for those that measure a server at a steady rate.
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { readdir } from 'node:fs/promises';
import { URL } from 'node:url';
import { scratchFolder } from './lib/scratch.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    history: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string' },
  },
});
const folder = new URL('./benches/', import.meta.url);
const all = (await readdir(folder))
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length))
  .sort();
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown benchmark "${unknown.join('", "')}"; there are: ${all.join(', ')}\n`);
  process.exit(2);
}

if (values.list) {
  for (const name of all) process.stdout.write(`${name}: ${(await load(name)).about}\n`);
} else {
  const gib = Math.round(totalmem() / 2 ** 30);
  process.stdout.write(
    `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${gib} GB. ` +
      `${values.quick ? 'Quick. ' : ''}Times are milliseconds of the processor's time unless said otherwise.\n`,
  );
  for (const name of positionals.length > 0 ? positionals : all) await runOne(name);
}

function load(name) {
  return import(new URL(`${name}.mjs`, folder).href);
}

async function runOne(name) {
  const { about, run } = await load(name);
  const scratch = await scratchFolder();
  const before = loadavg()[0];
  process.stdout.write(`\n## ${name}: ${about}\n`);
  try {
    await run({
      quick: values.quick,
      history: values.history === undefined ? (values.quick ? 50_000 : 1_000_000) : Number(values.history),
      options: values,
      scratch: scratch.path,
      say: (text) => process.stderr.write(`${name}: ${text}\n`),
      table,
    });
  } finally {
    await scratch.remove();
  }
  process.stdout.write(
    `\nOthers on the machine: load ${before.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after.\n`,
  );
}

/** A Markdown table, as docs/performance.md has them. */
function table(head, rows, title) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  process.stdout.write(
    `\n${title === undefined ? '' : `${title}\n\n`}${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`,
  );
}

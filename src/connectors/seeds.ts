import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Connection } from '../engines/connection.ts';
import type { SeedNode } from '../project/nodes.ts';
import { nearest } from '../diagnostics/suggest.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { placeSeedError } from './place-seed-error.ts';
import { keyColumns } from './seed-columns.ts';
import { readCsvSeed } from './seed-csv.ts';
import type { SeedData } from './seed-data.ts';
import { readNdjsonSeed } from './seed-ndjson.ts';
import { SeedProblems } from './seed-problems.ts';
import { writeSeed, type SeedOutcome } from './seed-writer.ts';

/**
 * Reads a seed's file: `.csv`, `.ndjson` or `.jsonl`, each also `.gz`. Columns have the types declared, or those found
 * by dbt's rules (seed-types.ts).
 * Throws a SegError with up to 20 problems (SEG508 no such file, SEG509 unknown format, SEG510-SEG514 content, SEG515
 * and SEG516 keys), each with line and column.
 */
export async function readSeed(node: SeedNode, root: string): Promise<SeedData> {
  const file = node.original_file_path;
  const absolutePath = path.resolve(node.root_path ?? root, file);
  await access(absolutePath).catch((cause: unknown) => {
    throw segError('SEG508', `the file of seed "${node.name}" cannot be read: ${file}`, {
      at: node.at,
      hint: 'Put the file there, or remove the seed.',
      cause,
    });
  });
  const format = /\.(csv|ndjson|jsonl)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  if (format === undefined) {
    throw segError('SEG509', `seed "${node.name}" has an unknown format: ${file}`, {
      at: node.at,
      hint: 'Seeds are .csv, .ndjson or .jsonl files, which may be compressed to .gz.',
    });
  }
  const problems = new SeedProblems(file);
  const input = createReadStream(absolutePath);
  let content: Pick<SeedData, 'columns' | 'rows' | 'lines'> = { columns: [], rows: [], lines: [] };
  try {
    content = await (format === 'csv'
      ? readCsvSeed(node, input, problems)
      : readNdjsonSeed(node, input, problems));
  } catch (error) {
    if (error instanceof Error && /^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) {
      problems.add(
        'SEG511',
        `the file cannot be unpacked: ${error.message}`,
        { line: 1 },
        { hint: 'The gzip file is damaged or cut off; make it anew.' },
      );
    } else throw error;
  } finally {
    input.destroy();
  }
  problems.throwIfAny();
  const data: SeedData = { file, absolutePath, ...content };
  checkKeys(node, data, problems);
  problems.throwIfAny();
  return data;
}

/**
 * Makes the seed's table hold exactly `data`, writing only what differs, in one transaction (a savepoint when the
 * caller is in one), by at most one DELETE, one UPDATE and one INSERT, so that what depends on the seed moves by a
 * small delta. With `unique_key` rows are matched by key; without one the table is compared as a bag of rows.
 * `fullRefresh` empties the table and fills it anew.
 * Throws SEG517 with line and column for a value that only PostgreSQL could judge.
 */
export async function loadSeed(
  db: Connection,
  node: SeedNode,
  data: SeedData,
  options: { fullRefresh?: boolean } = {},
): Promise<SeedOutcome> {
  const target = { schema: node.schema, name: node.alias };
  try {
    return await db.transaction((tx) =>
      writeSeed(tx, target, keyColumns(node), data, options.fullRefresh ?? false),
    );
  } catch (error) {
    throw await placeSeedError(error, node, data);
  }
}

function checkKeys(node: SeedNode, data: SeedData, problems: SeedProblems): void {
  const key = keyColumns(node);
  if (key.length === 0) return;
  const names = data.columns.map(({ name }) => name);
  const positions = key.map((name) => names.indexOf(name));
  key.forEach((name, i) => {
    if (positions[i] !== -1) return;
    const near = nearest(name, names);
    problems.add(
      'SEG515',
      `the unique_key names the unknown column "${name}"`,
      { line: 1 },
      {
        hint: `The file has the columns ${names.join(', ')}.${near.length > 0 ? ` Did you mean "${near[0]}"?` : ''}`,
      },
    );
  });
  if (positions.includes(-1)) return;
  const first = new Map<string, number>();
  data.rows.forEach((row, i) => {
    const line = data.lines[i]!;
    const values = positions.map((position) => row[position] ?? null);
    const shown = key
      .map((name, k) => `${name} ${values[k] === null ? 'NULL' : `"${values[k]}"`}`)
      .join(', ');
    if (values.includes(null)) {
      problems.add(
        'SEG519',
        `the key is incomplete: ${shown}`,
        { line },
        { hint: 'Every row needs a value in each column of its unique_key.' },
      );
      return;
    }
    const id = JSON.stringify(values);
    const before = first.get(id);
    if (before === undefined) first.set(id, line);
    else {
      problems.add(
        'SEG516',
        `duplicate key: ${shown}`,
        { line },
        {
          notes: [{ message: 'first given here', at: problems.at({ line: before }) }],
          hint: 'Remove one of the rows, or add a column to the unique_key.',
        },
      );
    }
  });
}

import { createReadStream } from 'node:fs';
import type { SeedNode } from '../project/nodes.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { readCsv } from './formats/csv.ts';
import { placeOf } from './seed-csv.ts';
import type { SeedData } from './seed-data.ts';
import { SeedRowError } from './seed-writer.ts';

/**
 * Turns PostgreSQL's complaint about a row of a COPY into one about the seed's file; other errors come back as they
 * are. The file is read again for the column, which is cheaper than keeping every line for an error that is rare.
 */
export async function placeSeedError(error: unknown, node: SeedNode, data: SeedData): Promise<unknown> {
  if (!(error instanceof SeedRowError)) return error;
  const line = data.lines[error.row] ?? 1;
  const index = data.columns.findIndex((column) => column.name === error.column);
  const at = await locate(node, data, line, Math.max(0, index));
  const about = index === -1 ? '' : `column "${error.column}": `;
  const type = index === -1 ? '' : `The column is ${data.columns[index]!.type}. `;
  return segError('SEG517', `${about}${error.message}`, {
    at,
    hint: `${type}Correct the value, or the type under column_types.`,
    exitCode: 1,
    cause: error.cause,
  });
}

async function locate(node: SeedNode, data: SeedData, line: number, index: number): Promise<Location> {
  const fallback = { file: data.file, line, column: 1 };
  if (!/\.csv(\.gz)?$/i.test(data.file)) return fallback;
  const delimiter = node.config.delimiter || ',';
  const input = createReadStream(data.absolutePath);
  try {
    for await (const records of readCsv(input, { delimiter })) {
      const record = records.find((candidate) => candidate.line === line);
      if (record !== undefined) return { file: data.file, ...placeOf(record, delimiter, index) };
    }
  } catch {
    // The file has gone or changed meanwhile; the line is still right.
  } finally {
    input.destroy();
  }
  return fallback;
}

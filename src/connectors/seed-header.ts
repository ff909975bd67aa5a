import { createReadStream } from 'node:fs';
import path from 'node:path';
import type { SeedNode } from '../project/nodes.ts';
import { readCsv } from './formats/csv.ts';
import { columnName } from './seed-columns.ts';

/**
 * The columns of a CSV seed by its first record alone, however large the file is; undefined for a file that is away, is
 * not CSV, or cannot be read: loading it says what is wrong.
 */
export async function readSeedHeader(node: SeedNode, root: string): Promise<string[] | undefined> {
  if (!/\.csv(?:\.gz)?$/i.test(node.original_file_path)) return undefined;
  const input = createReadStream(path.resolve(node.root_path ?? root, node.original_file_path));
  try {
    for await (const [first] of readCsv(input, { delimiter: node.config.delimiter || ',' })) {
      if (first === undefined) continue;
      return first.fields?.map((field) => columnName(node, field ?? ''));
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    input.destroy();
  }
}

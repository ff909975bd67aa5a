/** Gets the rows a step speaks of, from the YAML itself or from a file beside it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { JsonRow } from '../changelog/change.ts';
import { readRows, RowsMistake, formatOfText, type RowsFormat } from './rows-text.ts';
import type { RowsSource, Scenario } from './scenario.ts';
import { StepMistake } from './step-outcome.ts';

/** A list of rows, or a text still to be read with its format. */
export type LoadedRows =
  { kind: 'list'; rows: JsonRow[] } | { kind: 'text'; text: string; format: 'csv' | 'ndjson' };

/** Throws a StepMistake with the path in the YAML. @param root the project's folder */
export async function loadText(source: RowsSource, scenario: Scenario, root: string): Promise<LoadedRows> {
  if (source.kind === 'inline') {
    if (typeof source.rows !== 'string')
      return { kind: 'list', rows: rowsOf(source, () => readRows(source.rows)) };
    return { kind: 'text', text: source.rows, format: textFormat(source.format, source.rows) };
  }
  const file = path.resolve(root, path.dirname(scenario.file), source.file);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new StepMistake(
      `cannot read file "${source.file}": ${(cause as NodeJS.ErrnoException).code ?? 'error'}`,
      {
        path: source.path,
        hint: 'A file is looked for from the folder of the scenario.',
        cause,
      },
    );
  }
  const name = source.file.toLowerCase().replace(/\.gz$/, '');
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  const byName: RowsFormat | undefined = name.endsWith('.csv')
    ? 'csv'
    : /\.(ndjson|jsonl)$/.test(name)
      ? 'ndjson'
      : undefined;
  return { kind: 'text', text, format: textFormat(source.format ?? byName, text) };
}

/** Rows as a list, whatever their form. */
export async function loadRows(source: RowsSource, scenario: Scenario, root: string): Promise<JsonRow[]> {
  const loaded = await loadText(source, scenario, root);
  if (loaded.kind === 'list') return loaded.rows;
  return rowsOf(source, () => readRows(loaded.text, loaded.format));
}

function textFormat(format: RowsFormat | undefined, text: string): 'csv' | 'ndjson' {
  return format === undefined || format === 'dict' ? formatOfText(text) : format;
}

function rowsOf<T>(source: RowsSource, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RowsMistake)) throw cause;
    throw new StepMistake(cause.message, {
      path: cause.row === undefined ? source.path : [...source.path, cause.row],
      cause,
    });
  }
}

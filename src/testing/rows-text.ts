/** Rows as users write them: a list of mappings, CSV text, or NDJSON text, inline or in a file. */
import { isObject, parseJson, type ExactJson } from '../json/exact-json.ts';
import { parse, type CsvError } from 'csv-parse/sync';
import type { JsonRow, JsonValue } from '../changelog/change.ts';

/** Rows that cannot be read; `line` counts from 1 within the text, `row` from 0 within a list. */
export class RowsMistake extends Error {
  readonly line: number | undefined;
  readonly row: number | undefined;

  constructor(message: string, at: { line?: number; row?: number } = {}) {
    super(message);
    this.name = 'RowsMistake';
    this.line = at.line;
    this.row = at.row;
  }
}

export type RowsFormat = 'dict' | 'csv' | 'ndjson';

/** NDJSON when the first character that is not blank is `{`, else CSV. */
export function formatOfText(text: string): 'csv' | 'ndjson' {
  return text.trimStart().startsWith('{') ? 'ndjson' : 'csv';
}

/** Reads rows of any form. An empty text or list is no rows. Throws a RowsMistake. */
export function readRows(value: JsonValue | undefined, format?: RowsFormat): JsonRow[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string') {
    return (format === undefined || format === 'dict' ? formatOfText(value) : format) === 'csv'
      ? readCsvRows(value)
      : readNdjsonRows(value);
  }
  if (!Array.isArray(value)) throw new RowsMistake('rows must be a list of mappings, or CSV or NDJSON text');
  return value.map((row, index) => {
    if (row === null || typeof row !== 'object' || Array.isArray(row)) {
      throw new RowsMistake(`row ${index + 1} is no mapping of columns to values`, { row: index });
    }
    return row;
  });
}

/** CSV with a header line. An empty field is NULL, a quoted empty field ("") the empty text; other values are texts. */
export function readCsvRows(text: string): JsonRow[] {
  try {
    return parse(text, {
      bom: true,
      columns: (header: string[]) => {
        const repeated = header.find((name, i) => header.indexOf(name) !== i);
        if (repeated !== undefined)
          throw new RowsMistake(`column "${repeated}" stands twice in the header`, { line: 1 });
        return header;
      },
      trim: true,
      skip_empty_lines: true,
      cast: (value, context) => (value === '' && !context.quoting && !context.header ? null : value),
    }) as unknown as JsonRow[];
  } catch (cause) {
    if (cause instanceof RowsMistake) throw cause;
    const error = cause as CsvError;
    throw new RowsMistake(csvMessage(error), {
      line: typeof error['lines'] === 'number' ? error['lines'] : undefined,
    });
  }
}

function csvMessage(error: CsvError): string {
  const line = typeof error['lines'] === 'number' ? ` at line ${error['lines']}` : '';
  if (
    error.code === 'CSV_RECORD_INCONSISTENT_COLUMNS' ||
    error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
  ) {
    const fields = Array.isArray(error['record'])
      ? `${error['record'].length} fields`
      : 'another number of fields';
    return `a row of the CSV has ${fields}, the header another number${line}`;
  }
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return `a quote in the CSV is not closed${line}`;
  return `invalid CSV: ${error.message}`;
}

/** One JSON object per line; blank lines are skipped. */
export function readNdjsonRows(text: string): JsonRow[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    let value: ExactJson;
    try {
      value = parseJson(line);
    } catch (cause) {
      throw new RowsMistake(`line ${index + 1} is no JSON: ${(cause as Error).message}`, { line: index + 1 });
    }
    if (!isObject(value)) {
      throw new RowsMistake(`line ${index + 1} is no JSON object`, { line: index + 1 });
    }
    return [value];
  });
}

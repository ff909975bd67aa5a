import type { SeedNode } from '../project/nodes.ts';
import { BadValue } from './bad-value.ts';
import { encoderFor, type Encode } from './column-encoder.ts';
import { parseDataType } from './data-type.ts';
import { fieldOffset, readCsv } from './formats/csv.ts';
import type { TextInput } from './formats/lines.ts';
import type { RawRecord } from './formats/raw-record.ts';
import { checkName, columnName, declaredType } from './seed-columns.ts';
import type { SeedColumn, SeedData } from './seed-data.ts';
import type { SeedProblems } from './seed-problems.ts';
import { isSeedNull, TypeFinder } from './seed-types.ts';

type Content = Pick<SeedData, 'columns' | 'rows' | 'lines'>;

interface Column {
  readonly name: string;
  readonly declared: string | undefined;
  readonly finder: TypeFinder;
  readonly encode: Encode;
}

/** Reads a CSV seed; its first record names the columns. Problems go to `problems`. */
export async function readCsvSeed(
  node: SeedNode,
  input: TextInput,
  problems: SeedProblems,
): Promise<Content> {
  const delimiter = node.config.delimiter || ',';
  let columns: Column[] | null = null;
  const rows: (string | null)[][] = [];
  const lines: number[] = [];
  for await (const records of readCsv(input, { delimiter })) {
    for (const record of records) {
      if (record.problem !== undefined || record.fields === undefined) {
        problems.add('SEG511', `this line cannot be read: ${record.problem ?? 'it has no fields'}`, record, {
          hint: 'Write the file as UTF-8 CSV; double the quotes inside a quoted field.',
        });
        continue;
      }
      if (columns === null) {
        columns = readHeader(node, record, delimiter, problems);
        continue;
      }
      if (record.fields.length !== columns.length) {
        problems.add(
          'SEG513',
          `expected ${columns.length} fields, found ${record.fields.length}`,
          placeOf(record, delimiter, Math.min(record.fields.length, columns.length) - 1),
          {
            hint: 'Every line needs as many fields as the header; put quotes around a field that holds the delimiter.',
          },
        );
        continue;
      }
      const row = new Array<string | null>(columns.length);
      for (let i = 0; i < columns.length; i++)
        row[i] = readField(columns[i]!, i, record, delimiter, problems);
      rows.push(row);
      lines.push(record.line);
    }
  }
  if (columns === null) {
    problems.add(
      'SEG510',
      'the seed is empty',
      { line: 1 },
      { hint: 'Its first line must name the columns.' },
    );
    return { columns: [], rows, lines };
  }
  const found = columns;
  for (const row of rows) {
    for (let i = 0; i < found.length; i++) {
      const field = row[i];
      if (typeof field === 'string' && found[i]!.declared === undefined)
        row[i] = found[i]!.finder.encode(field);
    }
  }
  const typed: SeedColumn[] = found.map(({ name, declared, finder }) => ({
    name,
    type: declared ?? finder.type,
  }));
  return { columns: typed, rows, lines };
}

/** The line and column (from 1) of a record's field. */
export function placeOf(
  record: RawRecord,
  delimiter: string,
  index: number,
): { line: number; column: number; length: number } {
  const offset = fieldOffset(record.text, delimiter, Math.max(0, index));
  const before = record.text.slice(0, offset).split('\n');
  const length = record.fields?.[index]?.split('\n')[0]!.length ?? 1;
  return { line: record.line + before.length - 1, column: before.at(-1)!.length + 1, length };
}

function readHeader(node: SeedNode, record: RawRecord, delimiter: string, problems: SeedProblems): Column[] {
  const seen = new Map<string, number>();
  return record.fields!.map((field, i) => {
    const header = field ?? '';
    const name = columnName(node, header);
    const place = placeOf(record, delimiter, i);
    if (header.trim() === '') {
      problems.add('SEG518', `column ${i + 1} has no name`, place, {
        hint: 'Name every column in the first line.',
      });
    } else if (checkName(name, problems, place) && seen.has(name)) {
      problems.add('SEG512', `duplicate column "${name}"`, place, {
        notes: [
          { message: 'first named here', at: problems.at(placeOf(record, delimiter, seen.get(name)!)) },
        ],
        hint: 'Rename or remove one of them; names that differ only in case are the same unless quote_columns is true.',
      });
    }
    if (!seen.has(name)) seen.set(name, i);
    const declared = declaredType(node, name);
    return {
      name,
      declared,
      finder: new TypeFinder(),
      encode: encoderFor(parseDataType(declared ?? null), { fromText: true }),
    };
  });
}

function readField(
  column: Column,
  index: number,
  record: RawRecord,
  delimiter: string,
  problems: SeedProblems,
): string | null {
  const field = record.fields![index]!;
  if (field === null || isSeedNull(field)) return null;
  if (column.declared === undefined) {
    column.finder.see(field);
    return field;
  }
  try {
    return column.encode(field);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    problems.add('SEG514', `column "${column.name}": ${error.reason}`, placeOf(record, delimiter, index), {
      hint: `The column is declared as ${column.declared}. Correct the value, or the type under column_types.`,
    });
    return null;
  }
}

import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { parseBoth } from '../json/exact-json.ts';
import { refusal, tooDeep } from '../json/storable.ts';
import { BadValue } from './bad-value.ts';
import { encoderFor, type Encode } from './column-encoder.ts';
import type { RawRecord } from './formats/raw-record.ts';
import { lookup, parsePath, place, type RecordPath } from './map-record.ts';
import { compileSchema, type CheckSchema } from './record-schema.ts';
import type { SourceColumn, SourcePlan } from './source-plan.ts';

/** A record's values in the order of the plan's columns, in the text form their types read. */
export type RowValues = readonly (string | null)[];

/** Checks records against the source's schema and declared columns, and takes their values out. */
export interface RecordMapper {
  /** Throws BadValue. Answers null for a line that is no record (a CSV header). */
  map(raw: RawRecord): RowValues | null;
}

/** Records written as JSON, one a line. */
export class JsonMapper implements RecordMapper {
  readonly #plan: SourcePlan;
  readonly #check: CheckSchema | null;
  readonly #encoders: readonly Encode[];

  constructor(plan: SourcePlan) {
    this.#plan = plan;
    this.#check = compileSchema(plan.source, { coerce: false });
    this.#encoders = plan.columns.map(({ type }) => encoderFor(type, { strictTime: true }));
  }

  map(raw: RawRecord): RowValues {
    const { text, problem = tooDeep(text) } = raw;
    if (problem !== undefined) throw new BadValue(problem);
    let record;
    try {
      record = parseBoth(text);
    } catch (error) {
      throw new BadValue(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (typeof record.plain !== 'object' || record.plain === null || Array.isArray(record.plain)) {
      throw new BadValue('not a JSON object');
    }
    const refused = refusal(text);
    if (refused !== undefined) throw new BadValue(refused);
    const broken = this.#check?.(record.plain);
    if (broken !== undefined) throw new BadValue(broken);
    const { columns } = this.#plan;
    const values = new Array<string | null>(columns.length);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      if (column.path.length === 0) {
        // The text as it came keeps every digit, and spares writing it again.
        values[i] = text;
        continue;
      }
      values[i] = encode(column, this.#encoders[i]!, lookup(record.exact, column.path));
    }
    return values;
  }
}

/**
 * CSV lines. The first is a header when at least half of it names declared fields, or it names all of them, or any where it has
 * more or fewer than are declared, and so is no record; what else it names is left out, as from JSON. Otherwise columns come
 * in declared order.
 */
export class CsvMapper implements RecordMapper {
  readonly #plan: SourcePlan;
  readonly #check: CheckSchema | null;
  readonly #encoders: readonly Encode[];
  #header: readonly string[] | null = null;
  /** For each column the position of its field, -1 when the file has none. */
  #positions: readonly number[] = [];
  #paths: readonly RecordPath[] = [];

  /**
   * @param header when it is known, and the first line is a record
   * @throws SegError SEG526 for one that names none of the source's fields
   */
  constructor(plan: SourcePlan, header?: readonly string[]) {
    this.#plan = plan;
    this.#check = compileSchema(plan.source, { coerce: true });
    this.#encoders = plan.columns.map(({ type }) => encoderFor(type, { strictTime: true, fromText: true }));
    if (header === undefined) return;
    const fields = plan.columns.filter((column) => column.path.length > 0).map((column) => column.field);
    const names = header.map((name) => name.trim());
    if (!names.some((name) => fields.includes(name))) {
      throw segError('SEG526', `the header "${header.join(',')}" names no field of source "${plan.name}"`, {
        hint: didYouMean(names[0]!, fields) ?? `Its fields are ${fields.join(', ')}.`,
        exitCode: 1,
      });
    }
    this.#use(names);
  }

  map(raw: RawRecord): RowValues | null {
    if (raw.problem !== undefined) throw new BadValue(raw.problem);
    const fields = raw.fields ?? [];
    if (this.#header === null && this.#begin(fields)) return null;
    const expected = this.#header!.length;
    if (fields.length !== expected) {
      throw new BadValue(`expected ${expected} fields, found ${fields.length}`);
    }
    const { columns } = this.#plan;
    const whole =
      this.#check !== null || columns.some((column) => column.path.length === 0)
        ? this.#record(fields)
        : null;
    const broken = this.#check?.(whole);
    if (broken !== undefined) throw new BadValue(broken);
    const values = new Array<string | null>(columns.length);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      if (column.path.length === 0) {
        values[i] = JSON.stringify(whole);
        continue;
      }
      const position = this.#positions[i]!;
      const field = position === -1 ? null : fields[position]!;
      values[i] = encode(column, this.#encoders[i]!, field === '' && !isText(column) ? null : field);
    }
    return values;
  }

  /** Decides on the first line; answers whether it was a header. */
  #begin(fields: readonly (string | null)[]): boolean {
    const declared = this.#plan.columns
      .filter((column) => column.path.length > 0)
      .map((column) => column.field);
    const found = fields.map((field) => field?.trim() ?? '');
    const named = found.filter((field) => declared.includes(field)).length;
    const isHeader =
      named * 2 >= found.length ||
      declared.every((field) => found.includes(field)) ||
      (named > 0 && found.length !== declared.length);
    this.#use(isHeader ? found : declared);
    return isHeader;
  }

  /** @throws SegError SEG526 where a field stands twice: one of its values would be lost */
  #use(header: readonly string[]): void {
    for (const { field } of this.#plan.columns) {
      if (header.indexOf(field) === header.lastIndexOf(field)) continue;
      throw segError('SEG526', `field "${field}" of source "${this.#plan.name}" stands twice in the header`, {
        hint: 'Give one of them another name.',
        exitCode: 1,
      });
    }
    this.#header = header;
    this.#positions = this.#plan.columns.map((column) => header.indexOf(column.field));
    this.#paths = header.map((field) => {
      try {
        return parsePath(field);
      } catch {
        return [field];
      }
    });
  }

  /** The line in the shape of the source's records: a header `segment.vendor` makes an object `segment`. */
  #record(fields: readonly (string | null)[]): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    fields.forEach((field, i) => {
      if (field !== null) place(record, this.#paths[i]!, field);
    });
    return record;
  }
}

function isText(column: SourceColumn): boolean {
  return (
    !column.type.isArray &&
    ['text', 'citext', 'character varying', 'character', 'name'].includes(column.type.base)
  );
}

function encode(column: SourceColumn, encoder: Encode, value: unknown): string | null {
  if (value === undefined || value === null) {
    if (!column.required) return null;
    const where = column.field === column.name ? '' : ` (path ${column.field})`;
    throw new BadValue(`column "${column.name}"${where} is missing`);
  }
  try {
    return encoder(value);
  } catch (error) {
    if (error instanceof BadValue) throw new BadValue(`column "${column.name}": ${error.reason}`);
    throw error;
  }
}

/** A seed's file, read and checked. */
export interface SeedData {
  /** As shown to people: relative to the project. */
  readonly file: string;
  readonly absolutePath: string;
  /** In the file's order, with SQL types (inferred, or declared by `column_types` or `data_type`). */
  readonly columns: readonly SeedColumn[];
  /** Values in the text form their columns' types read; null is NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** The line each row begins on. */
  readonly lines: readonly number[];
}

export interface SeedColumn {
  readonly name: string;
  readonly type: string;
}

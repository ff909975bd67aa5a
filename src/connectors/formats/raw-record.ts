/** One record as a format's reader hands it on: where it stood, what was written, and its parts. */
export interface RawRecord {
  /** The line it begins on, from 1. */
  readonly line: number;
  /** As written; goes into the dead-letter table when the record is refused. */
  readonly text: string;
  /** CSV only: the fields in order; null is an empty field without quotes. */
  readonly fields?: readonly (string | null)[];
  /** Why there is nothing to map. */
  readonly problem?: string;
}

import type { RawRecord } from './raw-record.ts';
import { readLines, type LineOptions, type TextInput } from './lines.ts';

/** NDJSON: every line that is not blank is one record. The text is parsed by whoever maps it. */
export function readNdjson(input: TextInput, options: LineOptions = {}): AsyncGenerator<RawRecord[]> {
  return readLines(input, options);
}

/** What a streaming engine says of a statement → one line for people. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import { refusal } from '../engines/refusals.ts';

/** RisingWave wraps a reason in headings ("Failed to run the query", "Caused by:"); the innermost says it. */
export function engineMessage(error: DatabaseError): string {
  const lines = error.message
    .split('\n')
    .map((line) => line.replace(/^\s*\d+:\s*/, '').trim())
    .filter(
      (line) =>
        line !== '' &&
        line !== 'Caused by:' &&
        line !== 'Caused by these errors (recent errors listed first):',
    );
  const told = lines.filter((line) => !/^Failed to (run|prepare|execute|parse)/.test(line));
  return (told.length > 0 ? told : lines).join(': ');
}

/** RisingWave's answer to a query on a view that is still being made; its words differ between releases, its SQLSTATE says little. */
export function isNotThereYet(error: DatabaseError): boolean {
  return (
    error.sqlstate === '42704' ||
    error.sqlstate === '42P01' ||
    /not found|being created|under creation|creating|does not exist|still in progress/i.test(error.message)
  );
}

/** @returns SegError SEG407 for a node the engine refuses; anything that is no DatabaseError unchanged */
export function nodeError(
  error: unknown,
  label: string,
  at: Location,
  title: string,
  secrets: readonly string[] = [],
): unknown {
  const scrub = (text: string): string =>
    secrets
      .filter((secret) => secret.length > 3)
      .reduce((rest, secret) => rest.replaceAll(secret, '*****'), text);
  if (error instanceof SegError || !(error instanceof DatabaseError)) return error;
  if (/^(08|57P0)/.test(error.sqlstate)) return refusal(error) ?? error;
  return segError('SEG407', `${label}: ${title} says: ${scrub(engineMessage(error))}`, {
    at,
    notes: error.detail === undefined ? [] : [{ message: scrub(error.detail) }],
    hint: error.hint ?? hintFor(engineMessage(error)),
    exitCode: 1,
    // The error itself may hold what was sent.
    ...(secrets.length > 0 ? {} : { cause: error }),
  });
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/nested-loop join/i, 'Join by an equality of columns; RisingWave cannot maintain other joins.'],
  [/empty PARTITION BY/i, 'Give the window a PARTITION BY; PARTITION BY 1::int makes it one partition.'],
  [
    /`?NOW\(\)`? function is only allowed|Conditions containing now/i,
    'Compare a column with {{ now() }} minus an interval, in WHERE or HAVING, and without OR between two such conditions.',
  ],
  [
    /cannot materialize call to (current_timestamp|now)/i,
    'Write mz_now() in WHERE, by the macro for the engine, instead of now().',
  ],
  [/not yet implemented|not supported/i, '"seg compile --engine all" lists what each engine lacks.'],
];

function hintFor(message: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(message))?.[1];
}

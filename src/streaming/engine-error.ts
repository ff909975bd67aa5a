/** What a streaming engine says of a statement → one line for people, with the place in what they wrote. */
import type { Location, Note } from '../diagnostics/diagnostic.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { placeFor } from '../diagnostics/source-map.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import { DatabaseError } from '../engines/connection.ts';
import { refusal } from '../engines/refusals.ts';

/** RisingWave wraps a reason in headings ("Failed to run the query", "Caused by:"); the innermost says it. */
export function engineMessage(error: DatabaseError): string {
  const lines = withoutExcerpt(error.message.split('\n'))
    .map((line) => line.replace(/^\s*\d+:\s*/, '').trim())
    .filter(
      (line) =>
        line !== '' &&
        line !== 'Caused by:' &&
        line !== 'Caused by these errors (recent errors listed first):',
    );
  const told = lines.filter((line) => !/^Failed to (run|prepare|execute|parse)/.test(line));
  return (told.length > 0 ? told : lines).join(': ').replace(/:+\s*$/, '');
}

/** LINE and caret of a syntax error, which become a place. */
function withoutExcerpt(lines: readonly string[]): string[] {
  return lines.filter(
    (line, i) =>
      !/^LINE \d+: /.test(line) && !(/^\s*\^\s*$/.test(line) && /^LINE \d+: /.test(lines[i - 1] ?? '')),
  );
}

/** RisingWave's answer to a query on a view that is still being made; its words differ between releases, its SQLSTATE says little. */
export function isNotThereYet(error: DatabaseError): boolean {
  return (
    error.sqlstate === '42704' ||
    error.sqlstate === '42P01' ||
    /not found|being created|under creation|creating|does not exist|still in progress/i.test(error.message)
  );
}

export function isConnectionLost(error: DatabaseError): boolean {
  return /^(08|57P0)/.test(error.sqlstate);
}

/** The cluster comes back by itself, and takes the same statement then (meta/src/barrier/manager.rs). */
export function isRecovering(error: DatabaseError): boolean {
  return /cluster is recovering|cluster under recovery/i.test(error.message);
}

/** A query as the user wrote it, for the place of what an engine says of a statement that holds it. */
export interface WrittenQuery {
  readonly text: string;
  readonly sourceMap: SourceMap | null;
  /** How many lines of the statement that was sent stand before it. */
  readonly linesBefore: number;
}

export interface NodeErrorOptions {
  readonly secrets?: readonly string[];
  readonly query?: WrittenQuery;
}

/** @returns SegError SEG407 for a node the engine refuses; anything that is no DatabaseError unchanged */
export function nodeError(
  error: unknown,
  label: string,
  at: Location,
  title: string,
  { secrets = [], query }: NodeErrorOptions = {},
): unknown {
  const scrub = (text: string): string =>
    secrets
      .filter((secret) => secret.length > 3)
      .reduce((rest, secret) => rest.replaceAll(secret, '*****'), text);
  if (error instanceof SegError || !(error instanceof DatabaseError)) return error;
  const refused = refusal(error);
  if (refused !== undefined && (isConnectionLost(error) || /permission denied for/i.test(error.message)))
    return refused;
  const message = engineMessage(error);
  const place = placeIn(error, message, query, at);
  const missing =
    /(?:table or source|relation|view|item) (?:not found: |["'])([^"'\n:]+)|unknown catalog item ["']([^"']+)/i.exec(
      message,
    );
  const name = missing?.[1] ?? missing?.[2];
  return segError(
    'SEG407',
    name === undefined
      ? `${label}: ${title} says: ${scrub(message)}`
      : `${label}: ${title} knows no "${name.trim()}" (${scrub(message)})`,
    {
      at: place?.at ?? at,
      notes: [
        ...(error.detail === undefined ? [] : [{ message: scrub(error.detail) }]),
        ...(place?.notes ?? []),
      ],
      hint: error.hint ?? (name === undefined ? hintFor(message) : 'Is it deployed? Run "seg build" first.'),
      exitCode: 1,
      // The error itself may hold what was sent.
      ...(secrets.length > 0 ? {} : { cause: error }),
    },
  );
}

interface Place {
  readonly at: Location;
  readonly notes: Note[];
}

/** Where in the user's query the engine points to: by LINE and caret, by a position, or by what it quotes. */
function placeIn(
  error: DatabaseError,
  message: string,
  query: WrittenQuery | undefined,
  at: Location,
): Place | undefined {
  if (query === undefined) return undefined;
  const offset = excerptOffset(error.message, query) ?? quotedOffset(message, query.text);
  if (offset === undefined) return undefined;
  const word = /^("[^"]*"|[\w.]+)/.exec(query.text.slice(offset));
  return placeFor(query.sourceMap, offset, word?.[0].length ?? 1, at);
}

/**
 * "LINE 3: text" and the caret below it, which count within the statement. Names of relations may be longer there than in the query,
 * so within the line the caret's word is looked for.
 */
function excerptOffset(message: string, { text, linesBefore }: WrittenQuery): number | undefined {
  const excerpt = /^LINE (\d+): (.*)\n(\s*)\^/m.exec(message);
  if (excerpt === null) return undefined;
  const [, number, line, blanks] = excerpt as unknown as [string, string, string, string];
  const row = Number(number) - 1 - linesBefore;
  const lines = text.split('\n');
  const written = lines[row];
  if (row < 0 || written === undefined) return undefined;
  const column = Math.max(0, blanks.length - `LINE ${number}: `.length);
  const start = lines.slice(0, row).reduce((sum, each) => sum + each.length + 1, 0);
  if (written === line) return start + Math.min(column, written.length);
  const word = /^("[^"]*"|\w+|\S)/.exec(line.slice(column))?.[0];
  const nth = word === undefined ? 0 : line.slice(0, column).split(word).length - 1;
  let found = -1;
  for (let i = 0; word !== undefined && i <= nth; i++) found = written.indexOf(word, found + 1);
  return start + (found >= 0 ? found : Math.min(column, written.length));
}

/** What the engine quotes of the query: an expression, a function, a column. */
function quotedOffset(message: string, query: string): number | undefined {
  const quoted = [
    /failed to bind expression: (.+?)(?=: |$)/i,
    /[Ii]tem not found: (.+?)(?=: |$)/,
    /column "?(?:\w+\.)*([^"\s]+?)"? (?:does not exist|not found)/i,
    /function (?:or operator )?([\w.]+)\(/i,
    /unsupported function: "?(\w+)/i,
  ].flatMap((pattern) => pattern.exec(message)?.[1] ?? []);
  for (const text of quoted) {
    const words = text.match(/"[^"]*"|'[^']*'|\w+|[^\w\s]+/g) ?? [];
    const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s*');
    const found =
      pattern === '' ? -1 : query.search(new RegExp(/^\w/.test(text) ? `\\b${pattern}` : pattern, 'i'));
    if (found >= 0) return found;
  }
  return undefined;
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/nested-loop join/i, 'Join by an equality of columns; RisingWave cannot maintain other joins.'],
  [/empty PARTITION BY/i, 'Give the window a PARTITION BY; PARTITION BY 1::int makes it one partition.'],
  [
    /`?NOW\(\)`? function is only allowed|Conditions containing now/i,
    'Compare a column with {{ now() }} minus an interval, in WHERE or HAVING, and without OR between two such conditions.',
  ],
  [
    /`?RANGE`? frame|ordering column for `?RANGE/i,
    'The frame was written out so that equals in the order belong together, as on PostgreSQL. Order by one number or timestamp (a date: x::timestamp), or write "rows between unbounded preceding and current row".',
  ],
  [
    /cannot materialize call to (current_timestamp|now)/i,
    'Write mz_now() in WHERE, by the macro for the engine, instead of now().',
  ],
  [
    /cluster is recovering/i,
    'Run it again when the cluster has recovered; "recovery_timeout" of the target (seconds) says how long seg waits.',
  ],
  [
    /not yet implemented|not supported|not allowed|does not exist/i,
    '"seg compile --engine all" lists what each engine lacks.',
  ],
];

function hintFor(message: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(message))?.[1];
}

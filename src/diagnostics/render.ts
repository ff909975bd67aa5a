import pc from 'picocolors';
import stringWidth from 'string-width';
import type { Diagnostic, Location, Note } from './diagnostic.ts';

export interface RenderOptions {
  /** The text of a file a location names, when known; without it the line and the caret are left out. */
  readonly sourceOf?: (file: string) => string | undefined;
  /** ANSI colours; off by default. */
  readonly colors?: boolean;
}

type Colors = ReturnType<typeof pc.createColors>;

/** A line longer than this is shown as the part around the caret: NDJSON records and minified SQL run to kilobytes. */
const MAX_LINE = 120;
const TAB = '    ';

/**
 * A diagnostic as text, without a newline at the end:
 *
 *     models/a.sql:14:9: error SEG204: column "scor" does not exist in seed "mql_score"
 *        14 |   sum(m.scor) AS mql_score
 *           |         ~~~~
 *       note: seeds/mql_score.csv:1:1: seed "mql_score" has columns event_name, mql_score.
 *       hint: Did you mean "mql_score"?
 */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const colors = pc.createColors(options.colors ?? false);
  const paint = diagnostic.severity === 'error' ? colors.red : colors.yellow;
  const place = diagnostic.at === undefined ? '' : `${colors.bold(placeOf(diagnostic.at))}: `;
  const kind = colors.bold(paint(`${diagnostic.severity} ${diagnostic.code}`));
  const lines = [`${place}${kind}: ${colors.bold(diagnostic.message)}`];
  if (diagnostic.at !== undefined) lines.push(...excerpt(diagnostic.at, options, colors, paint));
  for (const note of diagnostic.notes ?? []) lines.push(...renderNote(note, options, colors));
  if (diagnostic.hint !== undefined) lines.push(indented('hint', diagnostic.hint, colors));
  return lines.join('\n');
}

/** Several diagnostics, a blank line between them. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions = {}): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, options)).join('\n\n');
}

/** `file:line:column`, the form editors and terminals make clickable. */
export function placeOf(at: Location): string {
  return `${at.file}:${at.line}:${at.column}`;
}

function renderNote(note: Note, options: RenderOptions, colors: Colors): string[] {
  if (note.at === undefined) return [indented('note', note.message, colors)];
  return [
    indented('note', `${placeOf(note.at)}: ${note.message}`, colors),
    ...excerpt(note.at, options, colors, colors.cyan),
  ];
}

function indented(label: string, text: string, colors: Colors): string {
  const [first, ...rest] = text.split('\n');
  return [`  ${colors.cyan(`${label}:`)} ${first}`, ...rest.map((line) => `        ${line}`)].join('\n');
}

/** The line of a place and the underline below it; nothing when the file or the line is unknown. */
function excerpt(
  at: Location,
  options: RenderOptions,
  colors: Colors,
  paint: (text: string) => string,
): string[] {
  const text = options.sourceOf?.(at.file);
  if (text === undefined) return [];
  const line = lineOf(text, at.line);
  if (line === undefined) return [];
  const from = Math.min(Math.max(at.column - 1, 0), line.length);
  const to = Math.min(from + Math.max(at.length ?? 1, 1), Math.max(line.length, from + 1));
  const shown = windowAround(line, from, to);
  const gutter = String(at.line).padStart(5);
  const before = stringWidth(shown.before);
  const under = Math.max(1, stringWidth(shown.marked));
  return [
    `${colors.dim(`${gutter} |`)} ${shown.before}${shown.marked}${shown.after}`,
    `${colors.dim(`${' '.repeat(gutter.length)} |`)} ${' '.repeat(before)}${paint('~'.repeat(under))}`,
  ];
}

function lineOf(text: string, line: number): string | undefined {
  let start = 0;
  for (let current = 1; current < line; current++) {
    const next = text.indexOf('\n', start);
    if (next === -1) return undefined;
    start = next + 1;
  }
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '');
}

/** Cuts a long line to the part around [from, to), marking what was left out. Tabs become spaces, so columns add up. */
function windowAround(
  line: string,
  from: number,
  to: number,
): { before: string; marked: string; after: string } {
  let before = line.slice(0, from);
  let marked = line.slice(from, to);
  let after = line.slice(to);
  if (line.length > MAX_LINE) {
    if (marked.length > MAX_LINE / 2) marked = `${marked.slice(0, MAX_LINE / 2)}…`;
    const room = MAX_LINE - marked.length;
    const left = Math.max(Math.floor(room / 2), room - after.length);
    if (before.length > left) before = `…${before.slice(before.length - left)}`;
    const right = Math.max(0, room - before.length);
    if (after.length > right) after = `${after.slice(0, right)}…`;
  }
  const plain = (part: string) => part.replaceAll('\t', TAB);
  return { before: plain(before), marked: plain(marked), after: plain(after) };
}

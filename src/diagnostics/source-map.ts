import type { Location, Note } from './diagnostic.ts';

/** A macro's call on the way to a place in a macro's file. */
export interface MacroFrame {
  readonly macro: string;
  /** Where it was called. */
  readonly at: Location;
  readonly definition: Location;
}

/** One run of rendered text that came from one place. Offsets are UTF-16 units. */
export interface Segment {
  /** Where the run begins in the rendered text. */
  readonly start: number;
  readonly length: number;
  readonly file: string;
  /** Offset in the template file where the run came from. */
  readonly templateOffset: number;
  /**
   * true: text copied letter by letter, so offset + k maps to templateOffset + k.
   * false: the output of an expression, all of which maps to the expression's place (`templateLength` wide).
   */
  readonly verbatim: boolean;
  readonly templateLength: number;
  /** Text of a macro: the calls that led to it, innermost first. Absent for the template's own text. */
  readonly via?: readonly MacroFrame[];
}

/** From places in rendered text (compiled SQL) back to the template the user wrote. Immutable. */
export class SourceMap {
  readonly segments: readonly Segment[];
  readonly #sources: ReadonlyMap<string, string>;

  /**
   * @param segments in order of `start`, not overlapping; gaps are allowed (they map to the run before them)
   * @param sources the text of every file a segment names
   */
  constructor(segments: readonly Segment[], sources: ReadonlyMap<string, string>) {
    this.segments = segments;
    this.#sources = sources;
  }

  /** A map for text that is its own template (an `--inline` query without Jinja, a test's fixture). */
  static identity(file: string, text: string): SourceMap {
    const whole: Segment = {
      start: 0,
      length: text.length,
      file,
      templateOffset: 0,
      verbatim: true,
      templateLength: text.length,
    };
    return new SourceMap([whole], new Map([[file, text]]));
  }

  /** The template's text, for showing the line under a message. */
  sourceOf(file: string): string | undefined {
    return this.#sources.get(file);
  }

  /** The map of `text.slice(from, to)`. */
  slice(from: number, to: number): SourceMap {
    const kept: Segment[] = [];
    for (const segment of this.segments) {
      const start = Math.max(segment.start, from);
      const end = Math.min(segment.start + segment.length, to);
      if (end <= start && !(segment.length === 0 && start >= from && start <= to)) continue;
      const skipped = start - segment.start;
      kept.push({
        ...segment,
        start: start - from,
        length: end - start,
        templateOffset: segment.verbatim ? segment.templateOffset + skipped : segment.templateOffset,
      });
    }
    return new SourceMap(kept, this.#sources);
  }

  /** The template's place for an offset (0-based UTF-16 units) in the rendered text; undefined for an empty map. */
  locate(offset: number, length = 1): Location | undefined {
    const found = this.#segmentAt(offset);
    if (found === undefined) return undefined;
    const within = Math.min(Math.max(offset - found.start, 0), Math.max(found.length - 1, 0));
    const at = found.verbatim ? found.templateOffset + within : found.templateOffset;
    const width = found.verbatim
      ? Math.min(length, Math.max(found.length - within, 1))
      : found.templateLength;
    return locationAt(found.file, this.#sources.get(found.file) ?? '', at, width);
  }

  /** For text that came from macros: `in macro "x", called from models/b.sql:7:4`, innermost first; else empty. */
  notesAt(offset: number): Note[] {
    return macroNotes(this.#segmentAt(offset)?.via ?? []);
  }

  #segmentAt(offset: number): Segment | undefined {
    let found: Segment | undefined;
    for (const segment of this.segments) {
      if (segment.start > offset) break;
      if (segment.length > 0 || found === undefined) found = segment;
    }
    return found ?? this.segments[0];
  }
}

/** A stack of macro calls as notes; each points at its call. */
export function macroNotes(via: readonly MacroFrame[]): Note[] {
  return via.map(({ macro, at, definition }) => {
    const defined = `${definition.file}:${definition.line}:${definition.column}`;
    return {
      message: `in macro "${macro}" (${defined}), called from ${at.file}:${at.line}:${at.column}`,
      at,
    };
  });
}

/**
 * Where to send the user for an offset in rendered text: the template's place, with the macro calls that led there. SQL that
 * comes from seg's own macros (a generic test, say) is nothing the user wrote, so `fallback`, the node's place, stands for it.
 */
export function placeFor(
  map: SourceMap | null,
  offset: number,
  length: number,
  fallback: Location,
): { at: Location; notes: Note[] } {
  const found = map?.locate(offset, length);
  const isOwn = (at: Location | undefined): boolean => at?.file.startsWith(BUILTIN_FOLDER) === true;
  if (map === null || found === undefined || isOwn(found)) return { at: fallback, notes: [] };
  const notes = map.notesAt(offset).filter(({ at }) => !isOwn(at));
  if (notes.length === 0 && found.file !== fallback.file) notes.push({ message: 'used here', at: fallback });
  return { at: found, notes };
}

/** Where seg's own macros seem to lie. */
const BUILTIN_FOLDER = 'builtin/';

/** The line and column (from 1) of an offset in a text; `length` is cut at the end of the line. */
export function locationAt(file: string, text: string, offset: number, length = 1): Location {
  const clamped = Math.min(Math.max(offset, 0), text.length);
  const before = text.slice(0, clamped);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let i = before.indexOf('\n'); i !== -1; i = before.indexOf('\n', i + 1)) line++;
  const lineEnd = text.indexOf('\n', clamped);
  const room = (lineEnd === -1 ? text.length : lineEnd) - clamped;
  return { file, line, column: clamped - lineStart + 1, length: Math.max(1, Math.min(length, room)) };
}

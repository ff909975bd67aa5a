import type { Location } from '../diagnostics/diagnostic.ts';

/** A half-open range of UTF-16 offsets in a template's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A template's text with its lines indexed, so that a place costs a binary search instead of a scan. */
export class TemplateSource {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** The place of a span; its length is cut at the end of its first line. */
  locate(span: Span): Location {
    const starts = (this.#lineStarts ??= lineStartsOf(this.text));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= span.start) low = middle;
      else high = middle - 1;
    }
    const lineStart = starts[low]!;
    const next = starts[low + 1];
    const lineEnd = next === undefined ? this.text.length : next - 1;
    const length = Math.max(1, Math.min(span.end, lineEnd) - span.start);
    return { file: this.file, line: low + 1, column: span.start - lineStart + 1, length };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

/** A template that stands inside another file (a YAML value): its places are counted from where it begins there. */
export class OffsetSource extends TemplateSource {
  readonly #at: Location;

  constructor(at: Location, text: string) {
    super(at.file, text);
    this.#at = at;
  }

  override locate(span: Span): Location {
    const inner = super.locate(span);
    const column = inner.line === 1 ? this.#at.column + inner.column - 1 : inner.column;
    return { ...inner, line: this.#at.line + inner.line - 1, column };
  }
}

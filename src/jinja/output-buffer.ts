import type { MacroFrame, Segment } from '../diagnostics/source-map.ts';
import type { Value } from './template-engine.ts';
import { Fault } from './values.ts';
import type { Span, TemplateSource } from './template-source.ts';

/** A render (or one macro's text) larger than this is taken for a mistake. */
const MAX_OUTPUT_LENGTH = 64 * 1024 * 1024;

/** Rendered text with the places it came from. */
export class OutputBuffer {
  text = '';
  readonly segments: Segment[] = [];
  /** What was written piece by piece, kept for native rendering only. */
  readonly values: Value[] | undefined;

  constructor(options: { native?: boolean } = {}) {
    this.values = options.native === true ? [] : undefined;
  }

  /** @param verbatim the text stands in the template letter by letter */
  write(
    text: string,
    source: TemplateSource,
    span: Span,
    verbatim: boolean,
    via: readonly MacroFrame[],
  ): void {
    if (text.length === 0 && verbatim) return;
    this.#push({
      start: this.text.length,
      length: text.length,
      file: source.file,
      templateOffset: span.start,
      verbatim,
      templateLength: span.end - span.start,
      ...(via.length > 0 ? { via } : {}),
    });
    this.text += text;
    if (this.text.length > MAX_OUTPUT_LENGTH) {
      throw new Fault(
        'SEG222',
        'the rendered text is larger than 64 MiB',
        'Look for a loop that does not end.',
      );
    }
  }

  #push(segment: Segment): void {
    this.segments.push(segment);
  }

  /** Takes over what another buffer rendered, or its part from `from` to `to`. */
  append(other: OutputBuffer, from = 0, to = other.text.length): void {
    for (const segment of other.segments) {
      const start = Math.max(segment.start, from);
      const end = Math.min(segment.start + segment.length, to);
      if (end <= start) continue;
      const skipped = segment.verbatim ? start - segment.start : 0;
      this.#push({
        ...segment,
        start: this.text.length + start - from,
        length: end - start,
        templateOffset: segment.templateOffset + skipped,
        templateLength: segment.verbatim ? end - start : segment.templateLength,
      });
    }
    this.text += other.text.slice(from, to);
  }

  /** Forgets everything written after a mark (a length of `text`): a macro that returns a value prints nothing else. */
  truncate(length: number, segments: number): void {
    this.text = this.text.slice(0, length);
    this.segments.length = segments;
  }
}

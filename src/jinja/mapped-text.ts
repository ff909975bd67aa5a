import { SourceMap } from '../diagnostics/source-map.ts';
import type { Segment } from '../diagnostics/source-map.ts';
import type { Rendered } from './template-engine.ts';

/** Text put together from rendered pieces (with places) and pieces seg adds (without; they map to what is before them). */
export function joinMapped(parts: readonly (string | Rendered)[]): Rendered {
  let text = '';
  const segments: Segment[] = [];
  const sources = new Map<string, string>();
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    for (const segment of part.map.segments) {
      segments.push({ ...segment, start: segment.start + text.length });
      const source = part.map.sourceOf(segment.file);
      if (source !== undefined) sources.set(segment.file, source);
    }
    text += part.text;
  }
  return { text, map: new SourceMap(segments, sources) };
}

/** A part of a rendered text, with its places. */
export function sliceMapped(rendered: Rendered, from: number, to: number): Rendered {
  return { text: rendered.text.slice(from, to), map: rendered.map.slice(from, to) };
}

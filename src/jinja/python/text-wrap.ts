/** Python's `textwrap.wrap` with whitespace kept as it is (expand_tabs and replace_whitespace off). */

export interface WrapOptions {
  readonly width: number;
  readonly breakLong: boolean;
  readonly breakHyphens: boolean;
}

const CHUNKS_WITH_HYPHENS =
  /([\t\n\v\f\r ]+|(?<=[\w!"'&.,?])-{2,}(?=\w)|[^\t\n\v\f\r ](?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\v\f\r ]|$)|(?<=[\w!"'&.,?])(?=-{2,}\w)|[^\t\n\v\f\r ])*?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\v\f\r ]|$)|(?<=[\w!"'&.,?])(?=-{2,}\w)))/;
const CHUNKS = /([\t\n\v\f\r ]+)/;

/** The lines of one paragraph, without line ends. */
export function wrapText(text: string, { width, breakLong, breakHyphens }: WrapOptions): string[] {
  const chunks = text
    .split(breakHyphens ? CHUNKS_WITH_HYPHENS : CHUNKS)
    .filter((chunk) => chunk !== undefined && chunk !== '');
  const isBlank = (chunk: string | undefined) => chunk !== undefined && chunk.trim() === '';
  chunks.reverse();
  const wrapped: string[] = [];
  while (chunks.length > 0) {
    const line: string[] = [];
    let length = 0;
    if (wrapped.length > 0 && isBlank(chunks.at(-1))) chunks.pop();
    while (chunks.length > 0 && length + chunks.at(-1)!.length <= width) {
      const chunk = chunks.pop()!;
      line.push(chunk);
      length += chunk.length;
    }
    if (chunks.length > 0 && chunks.at(-1)!.length > width) {
      if (breakLong) {
        const long = chunks.pop()!;
        const room = Math.max(1, width - length);
        line.push(long.slice(0, room));
        if (long.length > room) chunks.push(long.slice(room));
      } else if (line.length === 0) line.push(chunks.pop()!);
    }
    if (isBlank(line.at(-1))) line.pop();
    if (line.length > 0) wrapped.push(line.join(''));
  }
  return wrapped;
}

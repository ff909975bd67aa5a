import { lengthOf } from '../text.ts';

/** Widens a text; an odd space of a centred one goes where CPython puts it. */
export function pad(text: string, width: number, fill: string, align: 'left' | 'right' | 'center'): string {
  const missing = Math.max(0, width - lengthOf(text));
  if (align === 'left') return text + fill.repeat(missing);
  if (align === 'right') return fill.repeat(missing) + text;
  const left = Math.floor(missing / 2);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

/** What a check finds: mistakes with the place where a user mends them. */
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';

/** What may be named, for the hint when something else is. */
export interface Choice {
  /** What they are, many of them: `columns`, `fields`. */
  readonly kind: string;
  readonly names: readonly string[];
}

export function mistake(code: string, message: string, at: Location, hint?: string): Diagnostic {
  return { severity: 'error', code, message, at, ...(hint === undefined ? {} : { hint }) };
}

/** `Did you mean "x"?`, else all there are, when they are few enough to read. */
export function choiceHint(name: string, { kind, names }: Choice): string | undefined {
  const near = didYouMean(name, names);
  if (near !== undefined) return near;
  const all = [...new Set(names)];
  if (all.length === 0) return undefined;
  return `Known ${kind}: ${all.slice(0, 12).join(', ')}${all.length > 12 ? ', ...' : ''}.`;
}

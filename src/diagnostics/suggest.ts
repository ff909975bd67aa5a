import { distance } from 'fastest-levenshtein';

/**
 * The candidates nearest to a misspelt name, best first, at most `most`; empty when none is near enough
 * (more than about a third of its letters differ, and it is no part of the name or the other way round).
 */
export function nearest(name: string, candidates: Iterable<string>, most = 3): string[] {
  const wanted = name.toLowerCase();
  const scored: { candidate: string; score: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const lower = candidate.toLowerCase();
    const score = isSwap(wanted, lower) ? 1 : distance(wanted, lower);
    // Of short names every other is a part: that says nothing.
    const [short, long] = wanted.length < lower.length ? [wanted, lower] : [lower, wanted];
    const contained = short.length >= 4 && short.length * 3 >= long.length && long.includes(short);
    if (score <= Math.max(1, Math.floor(Math.max(wanted.length, lower.length) / 3)) || contained) {
      scored.push({ candidate, score });
    }
  }
  scored.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, most).map(({ candidate }) => candidate);
}

/** Two neighbouring letters changed places (`nmae`): one slip of the hand, which edit distance counts as two. */
function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

/** `Did you mean "a" or "b"?`, or undefined when nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(name, candidates);
  if (near.length === 0) return undefined;
  const quoted = near.map((candidate) => `"${candidate}"`);
  const last = quoted.pop()!;
  return `Did you mean ${quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : last}?`;
}

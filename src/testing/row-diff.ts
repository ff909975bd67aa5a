/**
 * The difference of two bags of rows, aligned so that a person sees what changed. Pure.
 *
 * 1. Equal rows are taken out. Expected rows without matchers are taken first, by value; those with matchers by a
 *    maximum matching of what is left (augmenting paths), so `{any: true}` never steals the only row another expected
 *    row could have. Taking exact rows first loses nothing: equal actual rows are interchangeable.
 * 2. What is left is paired by key, or without a key by the number of equal cells, and reported as `changed`;
 *    the rest is `missing` (expected, not there) or `unexpected` (there, not expected).
 */
import { cellMatches, isMatcher, type Cell, type ExpectedCell } from './matchers.ts';

export interface RowsCompared {
  readonly columns: readonly string[];
  /** Rows have one cell per column. */
  readonly expected: readonly (readonly ExpectedCell[])[];
  readonly actual: readonly (readonly Cell[])[];
  /** Indexes of the columns that identify a row; empty when unknown. */
  readonly key?: readonly number[];
  /** Rows must come in this order, too. */
  readonly ordered?: boolean;
  /** Rows that are not expected are of no interest. */
  readonly contains?: boolean;
}

export type RowDifference =
  | { readonly kind: 'missing'; readonly expected: readonly ExpectedCell[]; readonly index: number }
  | { readonly kind: 'unexpected'; readonly actual: readonly Cell[] }
  | {
      readonly kind: 'changed';
      readonly expected: readonly ExpectedCell[];
      readonly actual: readonly Cell[];
      /** Columns whose cells differ, never empty. */
      readonly changed: readonly number[];
      readonly index: number;
    }
  /** Right, but in another place; positions from 0. Only when everything else is as expected. */
  | { readonly kind: 'moved'; readonly actual: readonly Cell[]; readonly from: number; readonly to: number };

export interface RowDiff {
  readonly columns: readonly string[];
  readonly key: readonly number[];
  /** Expected rows that are there. */
  readonly matched: number;
  /** In the order of the expected rows; then the unexpected ones in the order of their text. Empty = equal. */
  readonly differences: readonly RowDifference[];
}

export function diffRows(compared: RowsCompared): RowDiff {
  const { columns, expected, actual, key = [], ordered = false, contains = false } = compared;
  const partner = matchEqual(expected, actual);
  const taken = new Set(partner.filter((index) => index !== -1));
  const matched = taken.size;
  const missing = expected.flatMap((_, index) => (partner[index] === -1 ? [index] : []));
  let extra = actual.flatMap((_, index) => (taken.has(index) ? [] : [index]));

  const pairs = key.length > 0 ? pairByKey(expected, actual, missing, extra, key) : [];
  if (key.length === 0 || missing.some((index) => key.some((k) => isMatcher(expected[index]![k] ?? null)))) {
    const used = new Set(pairs.flatMap(([e]) => [e]));
    const usedActual = new Set(pairs.map(([, a]) => a));
    pairs.push(
      ...pairBySimilarity(
        expected,
        actual,
        missing.filter(
          (e) => !used.has(e) && (key.length === 0 || key.some((k) => isMatcher(expected[e]![k]!))),
        ),
        extra.filter((a) => !usedActual.has(a)),
      ),
    );
  }
  const pairOf = new Map(pairs);
  const paired = new Set(pairs.map(([, a]) => a));
  extra = extra.filter((index) => !paired.has(index));

  const differences: RowDifference[] = [];
  for (let index = 0; index < expected.length; index++) {
    const row = expected[index]!;
    const other = pairOf.get(index);
    if (other !== undefined) {
      const found = actual[other]!;
      const changed = row.flatMap((cell, c) => (cellMatches(cell, found[c] ?? null) ? [] : [c]));
      differences.push({ kind: 'changed', expected: row, actual: found, changed, index });
    } else if (partner[index] === -1) {
      differences.push({ kind: 'missing', expected: row, index });
    }
  }
  if (!contains) {
    const texts = extra.map((index) => ({ row: actual[index]!, text: JSON.stringify(actual[index]) }));
    if (!ordered) texts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    for (const { row } of texts) differences.push({ kind: 'unexpected', actual: row });
  }
  if (ordered && differences.length === 0) differences.push(...moves(expected, actual, partner, contains));
  return { columns, key, matched, differences };
}

/** Rows out of place. With `contains`, only the order among the expected rows counts. */
function moves(
  expected: RowsCompared['expected'],
  actual: RowsCompared['actual'],
  partner: readonly number[],
  contains: boolean,
): RowDifference[] {
  if (
    !contains &&
    expected.every((row, i) => row.every((cell, c) => cellMatches(cell, actual[i]![c] ?? null)))
  ) {
    return [];
  }
  const inOrder = [...partner].sort((a, b) => a - b);
  const found = inOrder.map((a) => actual[a]!);
  if (expected.every((row, i) => row.every((cell, c) => cellMatches(cell, found[i]![c] ?? null)))) return [];
  return partner.flatMap((a, to) => {
    const from = inOrder.indexOf(a);
    return from === to ? [] : [{ kind: 'moved' as const, actual: actual[a]!, from, to }];
  });
}

/** For every expected row the index of the actual row it is satisfied by, or -1; as many as possible. */
function matchEqual(expected: RowsCompared['expected'], actual: RowsCompared['actual']): number[] {
  const partner = new Array<number>(expected.length).fill(-1);
  const byText = new Map<string, number[]>();
  for (let a = actual.length - 1; a >= 0; a--) {
    const text = JSON.stringify(actual[a]);
    const same = byText.get(text);
    if (same === undefined) byText.set(text, [a]);
    else same.push(a);
  }
  const free = new Set(actual.keys());
  const loose: number[] = [];
  for (const [e, row] of expected.entries()) {
    if (row.some(isMatcher)) {
      loose.push(e);
      continue;
    }
    const a = byText.get(JSON.stringify(row))?.pop();
    if (a === undefined) continue;
    partner[e] = a;
    free.delete(a);
  }
  const owner = new Map<number, number>();
  const candidates = new Map(
    loose.map((e) => [
      e,
      [...free].filter((a) => expected[e]!.every((cell, c) => cellMatches(cell, actual[a]![c] ?? null))),
    ]),
  );
  const assign = (e: number, seen: Set<number>): boolean => {
    for (const a of candidates.get(e)!) {
      if (seen.has(a)) continue;
      seen.add(a);
      const before = owner.get(a);
      if (before !== undefined && !assign(before, seen)) continue;
      owner.set(a, e);
      partner[e] = a;
      return true;
    }
    return false;
  };
  for (const e of loose) assign(e, new Set());
  return partner;
}

function pairByKey(
  expected: RowsCompared['expected'],
  actual: RowsCompared['actual'],
  missing: readonly number[],
  extra: readonly number[],
  key: readonly number[],
): [number, number][] {
  const byKey = new Map<string, number[]>();
  for (const a of extra) {
    const text = JSON.stringify(key.map((k) => actual[a]![k]));
    byKey.set(text, [...(byKey.get(text) ?? []), a]);
  }
  return missing.flatMap((e): [number, number][] => {
    const cells = key.map((k) => expected[e]![k] ?? null);
    if (cells.some(isMatcher)) return [];
    const a = byKey.get(JSON.stringify(cells))?.shift();
    return a === undefined ? [] : [[e, a]];
  });
}

/** Above this many comparisons similarity is not looked for: the diff is then missing and unexpected rows only. */
const mostComparisons = 200_000;

/** Pairs rows that agree in at least half of their cells, the most similar first. */
function pairBySimilarity(
  expected: RowsCompared['expected'],
  actual: RowsCompared['actual'],
  missing: readonly number[],
  extra: readonly number[],
): [number, number][] {
  if (missing.length * extra.length > mostComparisons) return [];
  const scored: { e: number; a: number; same: number }[] = [];
  for (const e of missing) {
    const row = expected[e]!;
    for (const a of extra) {
      const same = row.filter((cell, c) => cellMatches(cell, actual[a]![c] ?? null)).length;
      if (same > 0 && same * 2 >= row.length) scored.push({ e, a, same });
    }
  }
  scored.sort((x, y) => y.same - x.same || x.e - y.e || x.a - y.a);
  const usedE = new Set<number>();
  const usedA = new Set<number>();
  return scored.flatMap(({ e, a }): [number, number][] => {
    if (usedE.has(e) || usedA.has(a)) return [];
    usedE.add(e);
    usedA.add(a);
    return [[e, a]];
  });
}

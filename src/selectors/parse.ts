/**
 * dbt's selection grammar, text → tree (core/dbt/graph/selector_spec.py and cli.py):
 *
 *     selection  = union of the words of every value given
 *     word       = part ("," part)*                          intersection
 *     part       = "@"? (\d*"+")? (method ("." arg)* ":")? value ("+"\d*)?
 */
import { didYouMean } from '../diagnostics/suggest.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { isMethod, METHODS } from './methods.ts';
import type { Combination, Criterion, IndirectSelection, SelectionTree } from './tree.ts';

const PART =
  /^(?<at>@)?(?:(?<parentsDepth>\d*)(?<parents>\+))?(?:(?<method>[\w.]+):)?(?<value>.*?)(?<children>\+(?<childrenDepth>\d*))?$/s;

/** What dbt selects when nothing is asked for: everything of every kind. */
const EVERYTHING = ['fqn:*', 'source:*', 'exposure:*', 'metric:*', 'semantic_model:*'];

/**
 * The selection of a command line: the union of `select`, without `exclude`. Without `select` everything is meant, or
 * `fallback` (a default selector). Throws SegError SEG350/SEG351 for what does not parse.
 */
export function parseSelection(
  select: readonly string[],
  exclude: readonly string[],
  fallback?: SelectionTree,
): SelectionTree {
  const everything = () => fallback ?? parseUnion(EVERYTHING, false);
  const included = words(select).length > 0 ? parseUnion(select, true) : everything();
  if (words(exclude).length === 0) return included;
  const raw = `${included.raw} --exclude ${exclude.join(' ')}`;
  return { kind: 'difference', of: [included, parseUnion(exclude, false)], raw, mustMatch: false };
}

/** `['a b', 'c,d']` → union of a, b and the intersection of c and d. */
export function parseUnion(values: readonly string[], mustMatch: boolean): Combination {
  const of = words(values).map((word): Combination => {
    const parts = word.split(',').map((part) => parseCriterion(part));
    return { kind: 'intersection', of: parts, raw: word, mustMatch };
  });
  return { kind: 'union', of, raw: values.join(' '), mustMatch: false };
}

/** One part of the grammar above. */
export function parseCriterion(text: string, indirectSelection: IndirectSelection | null = null): Criterion {
  const groups = PART.exec(text)?.groups;
  const value = groups?.['value'] ?? '';
  if (groups === undefined || value === '') {
    throw segError('SEG350', `invalid selector "${text}"`, {
      hint: 'Write a name, a path or method:value, with "+" before or behind it for its ancestors or descendants.',
    });
  }
  const childrensParents = groups['at'] !== undefined;
  if (childrensParents && groups['children'] !== undefined) {
    throw segError('SEG350', `invalid selector "${text}": prefix "@" and suffix "+" exclude each other`, {
      hint: '"@a" already means a, its descendants and all ancestors of those.',
    });
  }
  const [method, ...methodArguments] = (groups['method'] ?? defaultMethod(value)).split('.');
  assertMethod(method!, text);
  return {
    kind: 'criterion',
    method: method!,
    methodArguments,
    value,
    parents: depth(groups['parents'], groups['parentsDepth']),
    children: depth(groups['children'], groups['childrenDepth']),
    childrensParents,
    indirectSelection,
    raw: text,
  };
}

/** Throws SegError SEG351 with the nearest methods when `method` is none of dbt's. */
export function assertMethod(method: string, raw: string): void {
  if (isMethod(method)) return;
  throw segError('SEG351', `unknown selector method "${method}" in "${raw}"`, {
    hint: didYouMean(method, METHODS) ?? `The methods are ${METHODS.join(', ')}.`,
  });
}

/** A value without a method is a path, a file's name, or a name. */
export function defaultMethod(value: string): 'path' | 'file' | 'fqn' {
  if (value.includes('/') || value.includes('\\')) return 'path';
  return /\.(sql|py|csv|ndjson|jsonl|ya?ml)(\.gz)?$/i.test(value) ? 'file' : 'fqn';
}

function words(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(/\s+/)).filter((word) => word !== '');
}

function depth(operator: string | undefined, digits: string | undefined): number {
  if (operator === undefined) return 0;
  return digits === undefined || digits === '' ? Infinity : Number(digits);
}

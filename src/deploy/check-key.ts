import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { NodeSpec } from './spec.ts';

/**
 * Refuses a key of columns that the relation does not have: no feed and no sink could find it in a row.
 * @throws SegError SEG426
 */
export function checkKey(
  spec: Pick<NodeSpec, 'label' | 'key' | 'at'>,
  columns: readonly { readonly name: string }[],
): void {
  const names = columns.map(({ name }) => name);
  const stray = spec.key.find((name) => !names.includes(name));
  if (stray === undefined) return;
  throw segError('SEG426', `unknown column "${stray}" in the unique_key of ${spec.label}`, {
    at: spec.at,
    hint:
      didYouMean(stray, names) ?? `Its columns: ${names.join(', ')}. A key is a column or a list of columns.`,
  });
}

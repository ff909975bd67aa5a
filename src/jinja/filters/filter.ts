import type { Runtime } from '../callable.ts';
import { signature } from '../signature.ts';
import type { Bound, Signature } from '../signature.ts';
import type { Value } from '../template-engine.ts';

export interface Filter {
  readonly signature: Signature;
  /** `default` and `list`-like filters may see an undefined value; for the others it is an error. */
  readonly takesUndefined: boolean;
  readonly run: (value: Value, args: readonly Value[], runtime: Runtime, extra: Bound) => Value;
}

/** @param text the signature without the filtered value, see signature.ts */
export function filter(text: string, run: Filter['run'], options: { takesUndefined?: boolean } = {}): Filter {
  return { signature: signature(text), takesUndefined: options.takesUndefined ?? false, run };
}

export type FilterTable = Readonly<Record<string, Filter>>;

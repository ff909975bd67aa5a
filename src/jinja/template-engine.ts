import type { Location } from '../diagnostics/diagnostic.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';

/**
 * A value inside a template, with Python's meaning: null is None, boolean, bigint or integral number is int, `PyFloat`
 * is a float that must print its point, string, array is a list, `PyTuple`, Map is a dict (plain objects handed in by
 * the host are read as dicts), HostFunction is callable, HostObject has attributes. See values.ts.
 */
export type Value = unknown;

/** A function of the host (ref, source, config ...) as templates call it. */
export interface HostCall {
  readonly args: readonly Value[];
  readonly kwargs: ReadonlyMap<string, Value>;
  /** Where the call stands in the template, for errors and for unknown-ref messages. */
  readonly at: Location;
}

export interface Rendered {
  readonly text: string;
  /** From offsets in `text` to places in the template (or the macro's file) they came from. */
  readonly map: SourceMap;
}

/** A macro found in a file, before it is run. */
export interface MacroDefinition {
  readonly name: string;
  /** `macro`, or the tags dbt adds: `{% test name(args) %}` is `test`, `{% materialization %}`, `{% docs %}`. */
  readonly kind: 'macro' | 'test' | 'materialization' | 'docs' | 'snapshot';
  readonly parameters: readonly string[];
  readonly at: Location;
  /** The macro's own source text, tags included. */
  readonly source: string;
  /** For `docs`: the block's text. */
  readonly text?: string;
}

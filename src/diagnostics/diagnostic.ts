/** A place in a file the user wrote. Lines and columns count from 1; columns and lengths are UTF-16 units. */
export interface Location {
  /** Relative to the project's root, with forward slashes; absolute when outside of it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many characters the caret underlines; 1 when absent. */
  readonly length?: number;
}

/** A second place that explains the first ("first defined here"), or a sentence of context. */
export interface Note {
  readonly message: string;
  readonly at?: Location;
}

/**
 * What went wrong, as data; `render.ts` makes text of it.
 * `message`: first line, lower case, no full stop, names quoted with their kind (`unknown model "x"`).
 * `hint`: a full sentence that says what to do.
 */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly at?: Location;
  readonly notes?: readonly Note[];
  readonly hint?: string;
}

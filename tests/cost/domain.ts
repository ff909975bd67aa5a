/** What is measured: tables of our own, queries over them, and a change of one row of each table. */
export interface Shape {
  readonly query: string;
  /** Tables of which a change costs more where there are more rows, and why. */
  readonly grows?: { readonly [table: string]: string };
}

export interface Domain {
  /** @param n how many rows of the largest kind; everything grows with it, and what belongs to one of anything stays the same */
  readonly tables: (n: number) => string;
  readonly shapes: { readonly [name: string]: Shape };
  /** One row of each table comes, changes and goes. */
  readonly changes: { readonly [table: string]: readonly string[] };
}

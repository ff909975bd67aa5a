/** Which columns a name may mean at a place of a query, in the canonical text that PostgreSQL prints of a view. */
import { Unsupported } from './ir.ts';
import type { Expr } from './ir.ts';

export interface ScopeTable {
  readonly alias: string;
  readonly columns: readonly { readonly name: string; readonly id: string }[];
  /** A row of it as one value, where the query asks for that. */
  readonly whole?: Expr;
}

/** A common table expression that has not been instantiated: each use makes a tree of its own. */
export interface CommonTable {
  readonly query: unknown;
  readonly aliases: readonly string[];
  readonly scope: Scope;
  /** As it stands in the WITH list. */
  readonly node: unknown;
  /** Of one that refers to itself: the whole list, which is run as it is. */
  readonly together?: readonly unknown[];
}

export class Scope {
  readonly parent: Scope | null;
  readonly tables: ScopeTable[] = [];
  /** Columns merged by USING, and output columns in ORDER BY of a set operation. */
  readonly merged = new Map<string, Expr>();
  readonly ctes = new Map<string, CommonTable>();

  /** Names of tables whose rows are read as one value (`t`, `t.*`) by the query that has this scope. */
  readonly #whole: ReadonlySet<string>;

  constructor(
    parent: Scope | null,
    whole: ReadonlySet<string> = parent === null ? new Set() : parent.#whole,
  ) {
    this.parent = parent;
    this.#whole = whole;
  }

  readsWhole(alias: string): boolean {
    return this.#whole.has(alias);
  }

  /** @throws Unsupported for a name that is not found */
  column(path: readonly string[]): Expr {
    const found = this.#find(path);
    if (found !== undefined) return found;
    if (this.parent !== null) return this.parent.column(path);
    throw new Unsupported(`the name ${path.join('.')}`);
  }

  /** @throws Unsupported for a name that is not found */
  wholeRow([alias]: readonly string[]): Expr {
    const table = this.tables.find((candidate) => candidate.alias === alias);
    if (table?.whole !== undefined) return table.whole;
    if (table === undefined && this.parent !== null) return this.parent.wholeRow([alias!]);
    throw new Unsupported('a whole row');
  }

  #find(path: readonly string[]): Expr | undefined {
    const name = path.at(-1)!;
    if (path.length === 1) {
      const merged = this.merged.get(name);
      if (merged !== undefined) return merged;
      const ids = this.tables.flatMap(({ columns }) => columns.filter((column) => column.name === name));
      if (ids.length > 1) throw new Unsupported(`the ambiguous name ${name}`);
      return ids[0] === undefined ? undefined : { Col: ids[0].id };
    }
    const table = this.tables.find(({ alias }) => alias === path[0]);
    if (table === undefined || path.length > 2) return undefined;
    const column = table.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new Unsupported(`the name ${path.join('.')}`);
    return { Col: column.id };
  }

  cte(name: string): CommonTable | undefined {
    return this.ctes.get(name) ?? this.parent?.cte(name);
  }
}

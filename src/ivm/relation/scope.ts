/** Which columns a name may mean at a place of a query, in the canonical text that PostgreSQL prints of a view. */
import { Unsupported } from './ir.ts';
import type { Expr } from './ir.ts';

export interface ScopeTable {
  readonly alias: string;
  readonly columns: readonly { readonly name: string; readonly id: string }[];
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

  constructor(parent: Scope | null) {
    this.parent = parent;
  }

  /** @throws Unsupported for a name that is not found, or is a whole row */
  column(path: readonly string[]): Expr {
    const found = this.#find(path);
    if (found !== undefined) return found;
    if (this.parent !== null) return this.parent.column(path);
    throw new Unsupported(`the name ${path.join('.')}`);
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

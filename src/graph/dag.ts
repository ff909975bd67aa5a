/** A directed graph of names that knows nothing of what they stand for. Edges point from a node to what it needs. */
export class Dag {
  readonly #parents = new Map<string, readonly string[]>();
  readonly #children = new Map<string, string[]>();

  /**
   * @param edges every node with its parents (what it depends on); parents that are no nodes themselves are left out.
   *   The order of the entries decides between nodes that do not depend on each other.
   */
  constructor(edges: Iterable<readonly [id: string, parents: Iterable<string>]>) {
    const entries = [...edges];
    for (const [id] of entries) this.#children.set(id, []);
    for (const [id, parents] of entries) {
      const known = [...new Set(parents)].filter((parent) => this.#children.has(parent));
      this.#parents.set(id, known);
      for (const parent of known) this.#children.get(parent)!.push(id);
    }
  }

  get ids(): string[] {
    return [...this.#parents.keys()];
  }

  has(id: string): boolean {
    return this.#parents.has(id);
  }

  parents(id: string): readonly string[] {
    return this.#parents.get(id) ?? [];
  }

  children(id: string): readonly string[] {
    return this.#children.get(id) ?? [];
  }

  /** Everything `ids` need, within `depth` steps; without the ids themselves unless one needs another. */
  upstream(ids: Iterable<string>, depth = Infinity): Set<string> {
    return reach(ids, depth, (id) => this.parents(id));
  }

  /** Everything that needs one of `ids`, within `depth` steps. */
  downstream(ids: Iterable<string>, depth = Infinity): Set<string> {
    return reach(ids, depth, (id) => this.children(id));
  }

  /** All nodes, each after its parents (Kahn's algorithm; ties in the order given). The graph must have no cycle. */
  order(): string[] {
    const waiting = new Map([...this.#parents].map(([id, parents]) => [id, parents.length]));
    const ready = this.ids.filter((id) => waiting.get(id) === 0);
    for (let next = 0; next < ready.length; next++) {
      for (const child of this.children(ready[next]!)) {
        const left = waiting.get(child)! - 1;
        waiting.set(child, left);
        if (left === 0) ready.push(child);
      }
    }
    if (ready.length !== waiting.size) throw new Error('invariant: order() of a graph with a cycle');
    return ready;
  }

  /** The nodes a set depends on, reduced to the set: edges between kept nodes that ran through others are joined. */
  restrict(keep: ReadonlySet<string>): Dag {
    const kept = this.ids.filter((id) => keep.has(id));
    return new Dag(
      kept.map((id) => {
        const found = new Set<string>();
        const seen = new Set<string>();
        const stack = [...this.parents(id)];
        for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
          if (seen.has(at)) continue;
          seen.add(at);
          if (keep.has(at)) found.add(at);
          else stack.push(...this.parents(at));
        }
        return [id, found] as const;
      }),
    );
  }

  /** One cycle as a path whose first and last name are the same, each needing the next; undefined without cycles. */
  cycle(): string[] | undefined {
    const done = new Set<string>();
    for (const root of this.ids) {
      if (done.has(root)) continue;
      // Depth first with an explicit stack: a chain of models may be longer than the call stack.
      const path: { id: string; next: number }[] = [{ id: root, next: 0 }];
      const onPath = new Set([root]);
      while (path.length > 0) {
        const top = path.at(-1)!;
        const parent = this.parents(top.id)[top.next++];
        if (parent === undefined) {
          done.add(top.id);
          onPath.delete(top.id);
          path.pop();
        } else if (onPath.has(parent)) {
          const from = path.findIndex(({ id }) => id === parent);
          return [...path.slice(from).map(({ id }) => id), parent];
        } else if (!done.has(parent)) {
          path.push({ id: parent, next: 0 });
          onPath.add(parent);
        }
      }
    }
    return undefined;
  }
}

function reach(start: Iterable<string>, depth: number, next: (id: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  let frontier = [...new Set(start)];
  for (let step = 0; step < depth && frontier.length > 0; step++) {
    const following: string[] = [];
    for (const id of frontier) {
      for (const neighbour of next(id)) {
        if (found.has(neighbour)) continue;
        found.add(neighbour);
        following.push(neighbour);
      }
    }
    frontier = following;
  }
  return found;
}

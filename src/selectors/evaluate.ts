/**
 * Selection tree × manifest → set of unique_ids. After dbt's graph/selector.py: each part gives the nodes it selects
 * and, beside them, the tests that would join if all their parents were selected; the combinations are made on both,
 * so that with `cautious` a test joins when its parents come from different parts.
 */
import { segError } from '../diagnostics/seg-error.ts';
import { nearest } from '../diagnostics/suggest.ts';
import { Dag } from '../graph/dag.ts';
import type { Manifest } from '../project/manifest.ts';
import { matchCriterion, type MatchContext } from './match.ts';
import type { PreviousState } from './previous-state.ts';
import { selectables, type Selectable } from './selectable.ts';
import type { Criterion, IndirectSelection, SelectionTree } from './tree.ts';

export interface EvaluateOptions {
  readonly indirectSelection?: IndirectSelection;
  /** Named selectors for `selector:`. */
  readonly selectors?: ReadonlyMap<string, SelectionTree>;
  /** Artifacts to compare with, for `state:`, `result:` and `source_status:`. */
  readonly previous?: PreviousState | null;
  /** This run's sources.json, for `source_status:`. */
  readonly currentFreshness?: ReadonlyMap<string, string> | null;
}

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** Parts that matched nothing, each with names that are near: `['tag:x', []]`. */
  readonly unmatched: readonly { readonly raw: string; readonly near: readonly string[] }[];
}

interface Both {
  readonly direct: Set<string>;
  readonly indirect: Set<string>;
}

/** Throws SegError SEG35x for states that do not exist or artifacts that are missing. */
export function evaluate(tree: SelectionTree, manifest: Manifest, options: EvaluateOptions = {}): Selection {
  return new Evaluation(manifest, options).run(tree);
}

class Evaluation {
  readonly #nodes: ReadonlyMap<string, Selectable>;
  readonly #dag: Dag;
  readonly #options: EvaluateOptions;
  readonly #context: MatchContext;
  readonly #unmatched: { raw: string; near: string[] }[] = [];
  readonly #named: string[] = [];

  constructor(manifest: Manifest, options: EvaluateOptions) {
    this.#nodes = selectables(manifest);
    this.#dag = new Dag([...this.#nodes.values()].map((node) => [node.unique_id, node.parents] as const));
    this.#options = options;
    this.#context = {
      manifest,
      previous: options.previous ?? null,
      currentFreshness: options.currentFreshness ?? null,
    };
  }

  run(tree: SelectionTree): Selection {
    return { ids: this.#evaluate(tree).direct, unmatched: this.#unmatched };
  }

  #evaluate(tree: SelectionTree): Both {
    if (tree.kind === 'criterion') return this.#criterion(tree);
    const parts = tree.of.map((part) => this.#evaluate(part));
    const combine = (sets: Set<string>[]) => {
      const [first = new Set<string>(), ...rest] = sets;
      return rest.reduce((a, b) => COMBINE[tree.kind](a, b), first);
    };
    const direct = combine(parts.map((part) => part.direct));
    const indirect = combine(parts.map((part) => union(part.direct, part.indirect)));
    const complete = this.#withIndirect(direct, indirect);
    if (tree.mustMatch && complete.size === 0) {
      this.#unmatched.push({ raw: tree.raw, near: this.#near(tree) });
    }
    return { direct: complete, indirect };
  }

  #criterion(criterion: Criterion): Both {
    const matched =
      criterion.method === 'selector'
        ? this.#byName(criterion)
        : matchCriterion(criterion, this.#nodes, this.#context);
    const selected = new Set(matched);
    const add = (ids: Iterable<string>) => {
      for (const id of ids) selected.add(id);
    };
    if (criterion.childrensParents) {
      const family = union(matched, this.#dag.downstream(matched));
      add(family);
      add(this.#dag.upstream(family));
    }
    if (criterion.parents > 0) add(this.#dag.upstream(matched, criterion.parents));
    if (criterion.children > 0) add(this.#dag.downstream(matched, criterion.children));
    return this.#withTests(selected, criterion.indirectSelection ?? this.#mode);
  }

  get #mode(): IndirectSelection {
    return this.#options.indirectSelection ?? 'eager';
  }

  /** Tests directly on a selected node join at once, or wait beside it, as the mode says. */
  #withTests(selected: Set<string>, mode: IndirectSelection): Both {
    if (mode === 'empty') return { direct: selected, indirect: new Set() };
    const direct = new Set(selected);
    const indirect = new Set<string>();
    const reachable = mode === 'buildable' ? this.#withAncestors(selected) : selected;
    for (const id of this.#dag.downstream(selected, 1)) {
      if (!this.#isTest(id)) continue;
      if (mode === 'eager' || this.#parentsWithin(id, reachable)) direct.add(id);
      else indirect.add(id);
    }
    return { direct, indirect };
  }

  /** After a combination: tests that waited and whose parents are now all there. */
  #withIndirect(direct: Set<string>, indirect: Set<string>): Set<string> {
    if (this.#mode !== 'cautious' && this.#mode !== 'buildable') return direct;
    const complete = new Set(direct);
    const reachable = this.#mode === 'buildable' ? this.#withAncestors(direct) : direct;
    for (const id of indirect) {
      if (this.#isTest(id) && this.#parentsWithin(id, reachable)) complete.add(id);
    }
    return complete;
  }

  /** `buildable` counts ancestors as there, and every source. */
  #withAncestors(selected: Set<string>): Set<string> {
    const all = union(selected, this.#dag.upstream(selected));
    for (const node of this.#nodes.values()) if (node.resource_type === 'source') all.add(node.unique_id);
    return all;
  }

  #isTest(id: string): boolean {
    return ['test', 'unit_test', 'scenario'].includes(this.#nodes.get(id)!.resource_type);
  }

  #parentsWithin(id: string, set: ReadonlySet<string>): boolean {
    return this.#dag.parents(id).every((parent) => set.has(parent));
  }

  #byName({ value }: Criterion): Set<string> {
    const selectors = this.#options.selectors ?? new Map<string, SelectionTree>();
    const tree = selectors.get(value);
    if (tree === undefined) throw unknownSelector(value, selectors.keys());
    if (this.#named.includes(value)) {
      throw segError('SEG355', `selector "${value}" refers to itself`, {
        hint: `The chain is ${[...this.#named, value].map((name) => `"${name}"`).join(' → ')}; break it in selectors.yml.`,
      });
    }
    this.#named.push(value);
    const before = this.#unmatched.length;
    const found = this.#evaluate(tree).direct;
    this.#named.pop();
    // One warning, for what the user wrote: not for the parts of a definition.
    this.#unmatched.length = before;
    return found;
  }

  /** Names like the ones of an unmatched part, so that a typing mistake is found at once. */
  #near(tree: SelectionTree): string[] {
    const criteria = tree.kind === 'criterion' ? [tree] : tree.of.filter((part) => part.kind === 'criterion');
    const nodes = [...this.#nodes.values()];
    const candidates: Partial<Record<string, () => string[]>> = {
      fqn: () => nodes.flatMap((node) => [node.name, ...node.fqn.slice(1)]),
      tag: () => nodes.flatMap((node) => node.tags),
      file: () => nodes.map((node) => node.original_file_path.split('/').at(-1)!),
      path: () => nodes.flatMap((node) => withFolders(node.original_file_path)),
      resource_type: () => nodes.map((node) => node.resource_type),
      source: () =>
        nodes.flatMap((node) => {
          const source = node.node['source_name'];
          return typeof source === 'string' ? [source, `${source}.${node.name}`] : [];
        }),
    };
    return criteria.flatMap((part) => nearest(part.value, candidates[part.method]?.() ?? [])).slice(0, 3);
  }
}

/** The error for a name that selectors.yml does not have. */
export function unknownSelector(name: string, known: Iterable<string>) {
  const names = [...known];
  const near = nearest(name, names);
  return segError('SEG354', `unknown selector "${name}"`, {
    hint:
      names.length === 0
        ? 'This project has no selectors.yml.'
        : `${near.length > 0 ? `Did you mean "${near[0]}"? ` : ''}The selectors are ${names.join(', ')}.`,
  });
}

const COMBINE: Record<
  'union' | 'intersection' | 'difference',
  (a: Set<string>, b: Set<string>) => Set<string>
> = {
  union,
  intersection: (a, b) => new Set([...a].filter((id) => b.has(id))),
  difference: (a, b) => new Set([...a].filter((id) => !b.has(id))),
};

function union(a: Iterable<string>, b: Iterable<string>): Set<string> {
  const all = new Set(a);
  for (const id of b) all.add(id);
  return all;
}

function withFolders(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

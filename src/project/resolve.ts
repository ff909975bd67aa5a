import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { ModelNode, RelationNode, SeedNode, SourceNode } from './nodes.ts';
import type { RefCall, SourceCall } from './build/sql-draft.ts';

export type Referable = ModelNode | SeedNode;

type Found<N> = { readonly node: N } | { readonly disabled: N } | undefined;

/** Finds the node behind a `ref()` or `source()`; knows disabled ones too, to say so. */
export class Lookup {
  readonly #referable = new Map<string, Referable[]>();
  readonly #sources = new Map<string, SourceNode[]>();
  readonly #rootName: string;

  constructor(rootName: string, nodes: Iterable<RelationNode>) {
    this.#rootName = rootName;
    for (const node of nodes) {
      if (node.resource_type === 'source') {
        push(this.#sources, `${node.source_name}\0${node.name}`, node);
      } else push(this.#referable, node.name, node);
    }
  }

  /** `from`: the package the template belongs to; its own nodes win over the root project's and those over others'. */
  ref(call: Pick<RefCall, 'name' | 'package'>, from: string): Found<Referable> {
    const named = this.#referable.get(call.name) ?? [];
    const wanted = call.package === null ? [from, this.#rootName] : [call.package];
    return choose(named, wanted, call.package === null);
  }

  source(call: Pick<SourceCall, 'source' | 'table'>, from: string): Found<SourceNode> {
    return choose(this.#sources.get(`${call.source}\0${call.table}`) ?? [], [from, this.#rootName], true);
  }

  /** What to say when `ref` found nothing usable. */
  refMistake(call: RefCall, from: string, user: string): Diagnostic {
    const found = this.ref(call, from);
    const shown = call.package === null ? call.name : `${call.package}.${call.name}`;
    if (found !== undefined && 'disabled' in found) {
      return disabledMistake(found.disabled.resource_type, shown, call.at, found.disabled.at, user);
    }
    const names = [...this.#referable.values()]
      .flat()
      .flatMap((node) => (node.config.enabled ? [node.name] : []));
    const packages = new Set([...this.#referable.values()].flat().map((node) => node.package_name));
    const elsewhere = call.package === null ? [] : (this.#referable.get(call.name) ?? []);
    const isSource = [...this.#sources.values()].flat().find((node) => node.name === call.name);
    return {
      severity: 'error',
      code: 'SEG301',
      message: `unknown model "${shown}" in ${user}`,
      at: call.at,
      hint:
        (elsewhere.length > 0 ? `Package "${elsewhere[0]!.package_name}" has it.` : undefined) ??
        (call.package !== null && !packages.has(call.package)
          ? didYouMean(call.package, packages)
          : undefined) ??
        (isSource === undefined
          ? undefined
          : `It is a table of a source: source('${isSource.source_name}', '${isSource.name}').`) ??
        didYouMean(call.name, names) ??
        'There is no model or seed of this name in the project.',
    };
  }

  /** What to say when `source` found nothing usable: it tells an unknown source from an unknown table. */
  sourceMistake(call: SourceCall, from: string, user: string): Diagnostic {
    const found = this.source(call, from);
    const shown = `${call.source}.${call.table}`;
    if (found !== undefined && 'disabled' in found) {
      return disabledMistake('source', shown, call.at, found.disabled.at, user);
    }
    const all = [...this.#sources.values()].flat();
    const tables = all.filter((node) => node.source_name === call.source).map((node) => node.name);
    if (tables.length > 0) {
      return {
        severity: 'error',
        code: 'SEG305',
        message: `unknown table "${call.table}" of source "${call.source}" in ${user}`,
        at: call.at,
        hint: didYouMean(call.table, tables) ?? `Its tables: ${tables.join(', ')}.`,
      };
    }
    const names = new Set(all.map((node) => node.source_name));
    const other = all.find((node) => node.name === call.table);
    return {
      severity: 'error',
      code: 'SEG304',
      message: `unknown source "${call.source}" in ${user}`,
      at: call.at,
      hint:
        didYouMean(call.source, names) ??
        (other === undefined
          ? `Sources of the project: ${[...names].join(', ') || 'none'}.`
          : `Source "${other.source_name}" has a table "${call.table}".`),
    };
  }
}

function disabledMistake(
  kind: string,
  name: string,
  at: Location,
  where: Location,
  user: string,
): Diagnostic {
  return {
    severity: 'error',
    code: 'SEG306',
    message: `${user} depends on ${kind} "${name}", which is disabled`,
    at,
    notes: [{ message: 'It is defined here.', at: where }],
    hint: 'Enable it, disable what depends on it too, or remove the reference.',
  };
}

function choose<N extends RelationNode>(
  candidates: readonly N[],
  preferred: readonly string[],
  any: boolean,
): Found<N> {
  const rank = (node: N): number => {
    const place = preferred.indexOf(node.package_name);
    return place === -1 ? preferred.length : place;
  };
  const usable = candidates
    .filter((node) => any || preferred.includes(node.package_name))
    .sort((a, b) => rank(a) - rank(b));
  const enabled = usable.find((node) => node.config.enabled);
  if (enabled !== undefined) return { node: enabled };
  return usable[0] === undefined ? undefined : { disabled: usable[0] };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** selectors.yml → trees. After dbt's config/selectors.py and graph/cli.py (parse_from_definition). */
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { assertMethod, defaultMethod, parseUnion } from './parse.ts';
import { isRecord } from './selectable.ts';
import { INDIRECT_SELECTIONS, type Criterion, type IndirectSelection, type SelectionTree } from './tree.ts';

export interface NamedSelector {
  readonly name: string;
  readonly description: string;
  readonly default: boolean;
  readonly tree: SelectionTree;
}

const METHOD_KEYS = [
  ...['method', 'value', 'children', 'parents', 'children_depth', 'parents_depth', 'childrens_parents'],
  ...['indirect_selection', 'exclude'],
];

/**
 * @param list the value of the key `selectors` of selectors.yml, or its entries by name (as the manifest keeps them)
 * @param at where the file is, for messages
 * Throws SegError SEG357.
 */
export function parseDefinitions(list: unknown, at?: Location): Map<string, NamedSelector> {
  const found = new Map<string, NamedSelector>();
  const entries = Array.isArray(list) ? (list as unknown[]) : isRecord(list) ? Object.values(list) : [];
  for (const entry of entries) {
    if (!isRecord(entry) || typeof entry['name'] !== 'string') throw wrong('a selector without a name', at);
    const name = entry['name'];
    if (found.has(name)) throw wrong(`selector "${name}" is defined twice`, at);
    if (entry['definition'] === undefined) throw wrong(`selector "${name}" has no definition`, at);
    found.set(name, {
      name,
      description: typeof entry['description'] === 'string' ? entry['description'] : '',
      default: entry['default'] === true,
      tree: new Definition(name, at).parse(entry['definition']),
    });
  }
  const defaults = [...found.values()].filter((selector) => selector.default).map(({ name }) => `"${name}"`);
  if (defaults.length > 1) throw wrong(`more than one default selector: ${defaults.join(', ')}`, at);
  return found;
}

class Definition {
  readonly #name: string;
  readonly #at: Location | undefined;

  constructor(name: string, at: Location | undefined) {
    this.#name = name;
    this.#at = at;
  }

  parse(definition: unknown): SelectionTree {
    if (typeof definition === 'string' || typeof definition === 'number') {
      return parseUnion([String(definition)], false);
    }
    if (!isRecord(definition)) throw this.#wrong('a definition is a string or a mapping');
    const combinations = (['union', 'intersection'] as const).filter((key) => key in definition);
    if (combinations.length > 1) throw this.#wrong('"union" and "intersection" cannot stand on one level');
    if (combinations.length === 1) {
      const [kind] = combinations;
      const extra = Object.keys(definition).filter((key) => key !== kind);
      if (extra.length > 0) throw this.#wrong(`"${extra[0]}" cannot stand beside "${kind}"`);
      return this.#combination(kind!, definition[kind!]);
    }
    if ('method' in definition) return this.#method(definition);
    if ('exclude' in definition)
      throw this.#wrong('"exclude" needs a method, a union or an intersection beside it');
    const keys = Object.keys(definition);
    if (keys.length !== 1)
      throw this.#wrong('a definition needs "method" and "value", "union" or "intersection"');
    // The short form `tag: nightly`.
    const [method] = keys as [string];
    assertMethod(method.split('.')[0]!, `${method}:${String(definition[method])}`);
    return this.#criterion({ method, value: definition[method] });
  }

  #combination(kind: 'union' | 'intersection', members: unknown): SelectionTree {
    if (!Array.isArray(members)) throw this.#wrong(`"${kind}" takes a list`);
    const isExclude = (member: unknown): member is Record<'exclude', unknown> =>
      isRecord(member) && 'exclude' in member && Object.keys(member).length === 1;
    const excludes = members.filter(isExclude);
    if (excludes.length > 1) throw this.#wrong(`only one "exclude" can stand in one "${kind}"`);
    const of = members.filter((member) => !isExclude(member)).map((member) => this.parse(member));
    if (of.length === 0) throw this.#wrong(`"${kind}" is empty`);
    const combined: SelectionTree = { kind, of, raw: this.#name, mustMatch: false };
    return excludes.length === 0 ? combined : this.#without(combined, excludes[0]!.exclude);
  }

  #method(definition: Readonly<Record<string, unknown>>): SelectionTree {
    const unknown = Object.keys(definition).find((key) => !METHOD_KEYS.includes(key));
    if (unknown !== undefined) throw this.#wrong(`unknown key "${unknown}"`);
    const criterion = this.#criterion(definition);
    return 'exclude' in definition ? this.#without(criterion, definition['exclude']) : criterion;
  }

  #without(from: SelectionTree, exclude: unknown): SelectionTree {
    const list = Array.isArray(exclude) ? (exclude as unknown[]) : [exclude];
    const taken: SelectionTree = {
      kind: 'union',
      of: list.map((item) => this.parse(item)),
      raw: this.#name,
      mustMatch: false,
    };
    return { kind: 'difference', of: [from, taken], raw: this.#name, mustMatch: false };
  }

  #criterion(definition: Readonly<Record<string, unknown>>): Criterion {
    const { value } = definition;
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw this.#wrong('"value" must be a scalar');
    const text = String(value);
    const full = typeof definition['method'] === 'string' ? definition['method'] : defaultMethod(text);
    const [method, ...methodArguments] = full.split('.');
    assertMethod(method!, `${full}:${text}`);
    const childrensParents = definition['childrens_parents'] === true;
    if (childrensParents && definition['children'] === true) {
      throw this.#wrong('"childrens_parents" and "children" exclude each other');
    }
    return {
      kind: 'criterion',
      method: method!,
      methodArguments,
      value: text,
      parents: this.#depth(definition, 'parents'),
      children: this.#depth(definition, 'children'),
      childrensParents,
      indirectSelection: this.#indirect(definition['indirect_selection']),
      raw: `${full}:${text}`,
    };
  }

  #depth(definition: Readonly<Record<string, unknown>>, key: 'parents' | 'children'): number {
    if (definition[key] !== true) return 0;
    const depth = definition[`${key}_depth`] ?? Infinity;
    if (typeof depth !== 'number' || depth < 0) throw this.#wrong(`"${key}_depth" must be a number`);
    return depth;
  }

  #indirect(mode: unknown): IndirectSelection | null {
    if (mode === undefined || mode === null) return null;
    const known = INDIRECT_SELECTIONS.find((name) => name === mode);
    if (known === undefined) {
      throw this.#wrong(`"indirect_selection" must be one of ${INDIRECT_SELECTIONS.join(', ')}`);
    }
    return known;
  }

  #wrong(what: string) {
    return wrong(`${what} (selector "${this.#name}")`, this.#at);
  }
}

function wrong(message: string, at: Location | undefined) {
  return segError('SEG357', message, {
    ...(at === undefined ? {} : { at }),
    hint: 'See "YAML selectors" in dbt\'s documentation for the form of selectors.yml.',
  });
}

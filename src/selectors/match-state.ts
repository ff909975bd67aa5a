/** `state:`: this project's nodes against an earlier manifest. After dbt's StateSelectorMethod and same_contents. */
import { isDeepStrictEqual } from 'node:util';
import { didYouMean } from '../diagnostics/suggest.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Manifest } from '../project/manifest.ts';
import type { PreviousState } from './previous-state.ts';
import { isRecord, type Selectable } from './selectable.ts';

type Json = Readonly<Record<string, unknown>>;

/** Which fields of a node make up each sub-selector; compared deeply, absent and null alike. */
const ASPECTS: Record<string, readonly string[]> = {
  body: [
    ...['test_metadata', 'column_name', 'model', 'given', 'expect', 'overrides', 'scenario'],
    ...['key', 'format', 'json_schema', 'identifier', 'source_name', 'loaded_at_field'],
    ...['type', 'from', 'mode', 'mapping', 'where', 'primary_key', 'on_delete', 'settings'],
  ],
  configs: ['unrendered_config', 'tags'],
  persisted_descriptions: [],
  relation: ['database', 'schema', 'alias', 'identifier'],
  contract: [],
};

const STATES = ['new', 'old', 'modified', 'unmodified', ...Object.keys(ASPECTS), 'macros'].map(
  (name, index) => (index < 4 ? name : `modified.${name}`),
);

export class StateMatcher {
  readonly #previous: PreviousState;
  readonly #manifest: Manifest;
  readonly #modifiedMacros: ReadonlySet<string>;

  constructor(previous: PreviousState, manifest: Manifest) {
    this.#previous = previous;
    this.#manifest = manifest;
    const now = Object.values(manifest.macros);
    this.#modifiedMacros = new Set([
      ...now
        .filter((macro) => previous.macros.get(macro.unique_id) !== macro.macro_sql)
        .map((m) => m.unique_id),
      ...[...previous.macros.keys()].filter((id) => manifest.macros[id] === undefined),
    ]);
  }

  /** Throws SegError SEG353 for a state that does not exist. */
  matches(node: Selectable, state: string): boolean {
    const before = this.#previous.nodes.get(node.unique_id);
    switch (state) {
      case 'new':
        return before === undefined;
      case 'old':
        return before !== undefined;
      case 'modified':
        return this.#modified(node, before);
      case 'unmodified':
        return before !== undefined && !this.#modified(node, before);
      case 'modified.macros':
        return this.#macrosModified(node.node);
      default:
    }
    const aspect = state.startsWith('modified.') ? state.slice('modified.'.length) : '';
    if (ASPECTS[aspect] === undefined) {
      throw segError('SEG353', `unknown state "${state}"`, {
        hint: didYouMean(state, STATES) ?? `The states are ${STATES.join(', ')}.`,
      });
    }
    return before === undefined || !sameAspect(aspect, before, node.node);
  }

  #modified(node: Selectable, before: Json | undefined): boolean {
    if (before === undefined || !isDeepStrictEqual(before['fqn'], node.node['fqn'])) return true;
    return (
      Object.keys(ASPECTS).some((aspect) => !sameAspect(aspect, before, node.node)) ||
      this.#macrosModified(node.node)
    );
  }

  #macrosModified(node: Json): boolean {
    const seen = new Set<string>();
    const waiting = macrosOf(node);
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (this.#modifiedMacros.has(id)) return true;
      const macro = this.#manifest.macros[id];
      if (macro !== undefined) waiting.push(...macro.depends_on.macros);
    }
    return false;
  }
}

function sameAspect(aspect: string, before: Json, after: Json): boolean {
  const fields = ASPECTS[aspect]!;
  if (!fields.every((field) => isDeepStrictEqual(plain(before[field]), plain(after[field])))) return false;
  switch (aspect) {
    case 'body':
      return sameBody(before, after);
    case 'persisted_descriptions':
      return samePersistedDescriptions(before, after);
    case 'contract':
      return sameContract(before, after);
    default:
      return true;
  }
}

/** The file's checksum; nodes without one (sources, tests in YAML) are told apart by the fields of `body` alone. */
function sameBody(before: Json, after: Json): boolean {
  const sum = (node: Json) => (isRecord(node['checksum']) ? node['checksum']['checksum'] : undefined);
  if (before['resource_type'] === 'source') return isDeepStrictEqual(columnTypes(before), columnTypes(after));
  // A generic test's text is written by seg, a scenario's and a unit test's is compared above.
  const ownFile =
    ['model', 'seed', 'snapshot'].includes(String(after['resource_type'])) || isSingularTest(after);
  return !ownFile || sum(before) === sum(after);
}

function isSingularTest(node: Json): boolean {
  return node['resource_type'] === 'test' && !isRecord(node['test_metadata']);
}

/** Descriptions count only where the project stores them in the database (`persist_docs`). */
function samePersistedDescriptions(before: Json, after: Json): boolean {
  const persist = (node: Json) => {
    const docs = isRecord(node['config']) ? node['config']['persist_docs'] : undefined;
    return isRecord(docs) ? docs : {};
  };
  if (!isDeepStrictEqual(persist(before), persist(after))) return false;
  if (persist(after)['relation'] === true && before['description'] !== after['description']) return false;
  const descriptions = (node: Json) =>
    Object.entries(isRecord(node['columns']) ? node['columns'] : {}).map(([name, column]) => [
      name,
      isRecord(column) ? column['description'] : undefined,
    ]);
  return persist(after)['columns'] !== true || isDeepStrictEqual(descriptions(before), descriptions(after));
}

/** A contract counts once it is enforced: then the columns' types belong to the node. */
function sameContract(before: Json, after: Json): boolean {
  const enforced = (node: Json) => {
    const contract = isRecord(node['config']) ? node['config']['contract'] : undefined;
    return isRecord(contract) && contract['enforced'] === true;
  };
  if (!enforced(before) && !enforced(after)) return true;
  return enforced(before) === enforced(after) && isDeepStrictEqual(columnTypes(before), columnTypes(after));
}

function columnTypes(node: Json): unknown {
  const columns = isRecord(node['columns']) ? node['columns'] : {};
  return Object.entries(columns).map(([name, column]) =>
    isRecord(column)
      ? [name, ...['data_type', 'path', 'generated', 'not_null'].map((field) => plain(column[field]))]
      : [name],
  );
}

function macrosOf(node: Json): string[] {
  const macros = isRecord(node['depends_on']) ? node['depends_on']['macros'] : [];
  return Array.isArray(macros) ? macros.filter((id): id is string => typeof id === 'string') : [];
}

/** The earlier node has been through JSON, which drops undefined and keeps null. */
function plain(value: unknown): unknown {
  return value === undefined || value === null ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

import type { CommandHandler } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { openProject } from '../open-project.ts';
import { selectNodes } from '../selection.ts';
import { RESOURCE_TYPES } from '../selection-flags.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keys of `--output json` unless `--output-keys` names others; dbt's, in dbt's order. */
const DEFAULT_KEYS = [
  ...['name', 'resource_type', 'package_name', 'original_file_path', 'unique_id', 'alias', 'source_name'],
  ...['config', 'tags', 'depends_on'],
];

/** `seg ls`: one line per selected node, sorted. Always exit code 0. */
export const list: CommandHandler = async (context) => {
  const { flags, log } = context;
  const modelsOnly = flags.list('models').length > 0;
  if (modelsOnly && (flags.list('select').length > 0 || flags.list('resource-type').length > 0)) {
    throw segError('SEG904', '--models excludes --select and --resource-type', {
      hint: 'In ls, --models means models only; use --select otherwise.',
    });
  }
  const project = await openProject(context);
  const nodes = selectNodes(context, project, modelsOnly ? ['model'] : RESOURCE_TYPES);
  if (nodes.size === 0) {
    log.warn('No nodes selected!', { name: 'NoNodesSelected', code: 'Z024' });
    return 0;
  }
  const line = lineOf(context);
  const lines = [...nodes.values()].map((node) => line(node as Json)).sort();
  await context.writeOut(lines.map((text) => `${text}\n`).join(''));
  return 0;
};

function lineOf({ flags }: CommandContext): (node: Json) => string {
  const form = flags.string('output');
  if (form === 'name') return nameOf;
  if (form === 'path') return (node) => String(node['original_file_path']);
  if (form !== 'json') return selectorOf;
  const keys = flags.list('output-keys').flatMap((words) => words.split(/\s+/));
  return (node) => JSON.stringify(keys.length > 0 ? pick(node, keys) : pickPresent(node, DEFAULT_KEYS));
}

/** What selects exactly this node: its fqn, or its method where names alone do not reach. */
function selectorOf(node: Json): string {
  const own = [node['package_name'], node['name']].join('.');
  switch (node['resource_type']) {
    case 'source':
      return `source:${[node['package_name'], node['source_name'], node['name']].join('.')}`;
    case 'exposure':
      return `exposure:${own}`;
    case 'unit_test':
      return `unit_test:${own}`;
    case 'sink':
      return `sink:${own}`;
    default:
      return (node['fqn'] as string[]).join('.');
  }
}

function nameOf(node: Json): string {
  const name = String(node['name']);
  return node['resource_type'] === 'source' ? `${String(node['source_name'])}.${name}` : name;
}

/** Keys asked for, null where a node does not have them; `config.materialized` goes deeper and keeps its own name. */
function pick(node: Json, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    keys.map((key) => {
      const found = key.split('.').reduce<unknown>((at, part) => (at as Json | undefined)?.[part], node);
      return [key, found ?? null];
    }),
  );
}

function pickPresent(node: Json, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => node[key] !== undefined).map((key) => [key, node[key]]));
}

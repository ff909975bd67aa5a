import { INDIRECT_SELECTIONS } from '../selectors/tree.ts';
import type { Flag } from './flag.ts';

const SELECT: Flag = {
  name: 'select',
  short: 's',
  kind: 'list',
  argument: 'selection',
  help: 'nodes to take: names, paths, tag:x, +upstream, downstream+, a,b for both',
  aliases: ['models', 'model', 'm'],
};

const AROUND: readonly Flag[] = [
  { name: 'exclude', kind: 'list', argument: 'selection', help: 'nodes to leave out' },
  { name: 'selector', kind: 'string', argument: 'name', help: 'a selector of selectors.yml' },
  {
    name: 'indirect-selection',
    kind: 'string',
    argument: 'mode',
    choices: INDIRECT_SELECTIONS,
    default: 'eager',
    env: true,
    help: `which tests join the nodes: ${INDIRECT_SELECTIONS.join(', ')}`,
  },
];

/** `--select`, `--exclude`, `--selector`, `--indirect-selection`. */
export const SELECTION_FLAGS: readonly Flag[] = [SELECT, ...AROUND];

/** The same for `ls`, where `--models` is a flag of its own: it also means "models only". */
export const LIST_SELECTION_FLAGS: readonly Flag[] = [
  { ...SELECT, aliases: [] },
  {
    name: 'models',
    kind: 'list',
    argument: 'selection',
    help: 'as --select, and models only',
    aliases: ['model', 'm'],
  },
  ...AROUND,
];

export const RESOURCE_TYPES = [
  'model',
  'seed',
  'source',
  'test',
  'unit_test',
  'scenario',
  'sink',
  'exposure',
] as const;

/** `--resource-type` and its opposite; `extra` are names for several types at once (`ls` has `all` and `default`). */
export function resourceTypeFlags(...extra: string[]): readonly Flag[] {
  const choices = [...RESOURCE_TYPES, ...extra];
  const flag = { kind: 'list', argument: 'types', choices, env: true } as const;
  return [
    {
      ...flag,
      name: 'resource-type',
      help: `only these: ${choices.join(', ')}`,
      aliases: ['resource-types'],
    },
    {
      ...flag,
      name: 'exclude-resource-type',
      help: 'all but these',
      aliases: ['exclude-resource-types'],
    },
  ];
}

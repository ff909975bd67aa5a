import type { CommandDefinition } from './command-definition.ts';
import type { Flag } from './flag.ts';
import { outputFlag } from './output-flag.ts';
import { LIST_SELECTION_FLAGS, resourceTypeFlags, SELECTION_FLAGS } from './selection-flags.ts';

const INLINE: Flag = {
  name: 'inline',
  kind: 'string',
  argument: 'sql',
  help: 'SQL with Jinja instead of a node',
};

const NODES = [{ syntax: '[nodes...]', help: 'nodes to take, as with --select' }];

/** The commands that begin a project or look at one, without changing data. */
export const LOOK_COMMANDS: readonly CommandDefinition[] = [
  {
    name: 'init',
    group: 'Begin:',
    summary: 'write a small project that runs at once',
    description:
      'Makes a folder with a working project: profile, source, seed, models, tests and a scenario. Asks nothing.',
    arguments: [
      { syntax: '[name]', help: 'name of the project and its folder: letters, digits, underscores' },
    ],
    flags: [{ name: 'skip-profile-setup', short: 's', kind: 'boolean', help: 'write no profiles.yml' }],
    examples: ['seg init demo && cd demo && seg build'],
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'debug',
    group: 'Begin:',
    summary: 'check project, profile and connection',
    description: 'Says which files and which target are used, and whether the database opens.',
    flags: [
      { name: 'connection', kind: 'boolean', help: 'only the connection' },
      { name: 'config-dir', kind: 'boolean', help: 'print the folder of profiles.yml and stop' },
    ],
    load: async () => (await import('./commands/debug.ts')).debug,
  },
  {
    name: 'list',
    alias: 'ls',
    group: 'Look:',
    summary: 'list the nodes of the project',
    description: 'Lists what a selection takes. No database is needed.',
    flags: [
      ...LIST_SELECTION_FLAGS,
      ...resourceTypeFlags('all', 'default'),
      outputFlag('selector', 'name', 'path', 'json'),
      { name: 'output-keys', kind: 'list', argument: 'keys', help: 'keys of --output json; dots go deeper' },
    ],
    examples: [
      'seg ls',
      'seg ls -s @segment_members --output name',
      'seg ls -o json --output-keys name config.materialized',
    ],
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'compile',
    group: 'Look:',
    summary: 'write compiled SQL to target/, or print it',
    description:
      'Without nodes the SQL of all goes to target/compiled; that of nodes or a query is printed, too. No database is needed.',
    arguments: NODES,
    argumentsSelect: true,
    flags: [
      ...SELECTION_FLAGS,
      ...resourceTypeFlags(),
      INLINE,
      outputFlag('text', 'json'),
      {
        name: 'engine',
        kind: 'string',
        argument: 'engine',
        choices: ['all', 'pglite', 'postgres', 'risingwave', 'materialize'],
        help: 'say what an engine (or each) lacks of what the nodes use',
      },
    ],
    examples: [
      'seg compile',
      'seg compile --engine all',
      'seg compile user_alerts',
      `seg compile --inline "select * from {{ ref('user_alerts') }}"`,
    ],
    load: async () => (await import('./commands/compile.ts')).compile,
  },
  {
    name: 'show',
    group: 'Look:',
    summary: 'print rows of a model, seed, source or query',
    description:
      'A deployed model is read as it stands, up to date; one that is not deployed, or has changed since, by its query.',
    arguments: NODES,
    argumentsSelect: true,
    flags: [
      ...SELECTION_FLAGS,
      INLINE,
      { name: 'limit', kind: 'integer', argument: 'n', default: 5, help: 'how many rows; -1 for all' },
      outputFlag('table', 'json', 'csv', 'text'),
    ],
    examples: [
      'seg show segment_sizes --limit 20',
      `seg show --inline "select count(*) from {{ ref('segment_toggles') }}"`,
    ],
    load: async () => (await import('./commands/show.ts')).show,
  },
  {
    name: 'explain',
    group: 'Look:',
    summary: 'print how models are kept up to date',
    description:
      'The plan of each deployed, maintained model as a tree: operators, strategy, why, what a change costs, indexes.',
    arguments: NODES,
    argumentsSelect: true,
    flags: [
      ...SELECTION_FLAGS,
      outputFlag('text', 'json'),
      {
        name: 'analyze',
        kind: 'boolean',
        help: 'measure each step: the last rows of the inputs are taken out and put in again, and rolled back',
      },
    ],
    examples: [
      'seg explain',
      'seg explain segment_sizes --analyze',
      'seg explain -s +user_alerts --output json',
    ],
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    name: 'parse',
    group: 'Look:',
    summary: 'load the project and write manifest.json',
    description:
      'Checks all files, templates and references, and writes target/manifest.json. No database is needed.',
    flags: [],
    load: async () => (await import('./commands/parse.ts')).parse,
  },
  {
    name: 'clean',
    group: 'Tidy up:',
    summary: 'delete the folders of `clean-targets`; with --database, what is deployed',
    description:
      'Deletes the folders that the project file names under `clean-targets` (else target/). With --database instead: everything that ' +
      'seg has made in the target: models, seeds, stored tests, feeds, the state of sinks, and its triggers and indexes on existing tables, which stay.',
    flags: [
      { name: 'database', kind: 'boolean', help: 'take away what is deployed in the target' },
      {
        name: 'drop-sources',
        kind: 'boolean',
        help: 'with --database: also sources that hold ingested rows',
      },
    ],
    examples: ['seg clean', 'seg clean --database --target dev'],
    load: async () => (await import('./commands/clean.ts')).clean,
  },
];

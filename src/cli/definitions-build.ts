import type { CommandDefinition } from './command-definition.ts';
import type { Flag } from './flag.ts';
import { outputFlag } from './output-flag.ts';
import { resourceTypeFlags, SELECTION_FLAGS } from './selection-flags.ts';

const FULL_REFRESH: Flag = {
  name: 'full-refresh',
  short: 'f',
  kind: 'boolean',
  help: 'rebuild what is there already',
  env: true,
};
const STORE_FAILURES: Flag = {
  name: 'store-failures',
  kind: 'boolean',
  help: 'keep the failing rows of every test as a live view',
  env: true,
};
const PRUNE: Flag = {
  name: 'prune',
  kind: 'boolean',
  help: 'drop relations whose model is gone from the project',
};
const NOW: Flag = {
  name: 'now',
  kind: 'string',
  argument: 'instant',
  help: 'move the project clock there first: an ISO 8601 time, or "now"',
};
const JUNIT: Flag = {
  name: 'junit-xml',
  kind: 'string',
  argument: 'file',
  help: 'write a report of the tests as JUnit XML',
};
const UPDATE: Flag = {
  name: 'update',
  kind: 'boolean',
  help: 'rewrite the expectations of scenarios that do not hold',
};
const VERBOSE: Flag = {
  name: 'verbose',
  short: 'v',
  kind: 'boolean',
  help: 'list the steps of scenarios',
};
const SHOW: Flag = { name: 'show', kind: 'boolean', help: 'print some rows of each relation afterwards' };

/** The commands that change the database. */
export const BUILD_COMMANDS: readonly CommandDefinition[] = [
  {
    name: 'build',
    group: 'Build:',
    summary: 'seeds, models and tests in the order of their dependencies',
    description: 'Loads seeds, deploys models and runs tests. What depends on a failed node is skipped.',
    flags: [
      ...SELECTION_FLAGS,
      ...resourceTypeFlags(),
      FULL_REFRESH,
      STORE_FAILURES,
      PRUNE,
      NOW,
      SHOW,
      JUNIT,
      VERBOSE,
    ],
    examples: [
      'seg build',
      'seg build --select +user_alerts',
      'seg build -s tag:nightly --exclude resource_type:scenario',
    ],
    load: async () => (await import('./commands/build.ts')).build,
  },
  {
    name: 'run',
    group: 'Build:',
    summary: 'deploy the models that are new or changed',
    description:
      'Brings the database in line with the project, in one transaction: readers never miss a relation, a changed model ' +
      'moves by the rows that differ. Seeds have to be loaded before (seg seed, or seg build for everything).',
    flags: [...SELECTION_FLAGS, FULL_REFRESH, PRUNE, NOW],
    examples: ['seg run', 'seg run --select models/mql state:modified+ --state last/target'],
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'seed',
    group: 'Build:',
    summary: 'load the seeds, writing only the rows that differ',
    description:
      'Seeds are CSV or NDJSON files in seeds/. Only rows that differ are written, and every view that reads them follows.',
    flags: [...SELECTION_FLAGS, FULL_REFRESH, SHOW],
    examples: ['seg seed', 'seg seed --select mql_score --show'],
    load: async () => (await import('./commands/seed.ts')).seed,
  },
  {
    name: 'test',
    group: 'Build:',
    summary: 'run data tests, unit tests and scenarios',
    description:
      'Data tests ask the database as it is; unit tests and scenarios bring their own data and run in memory, so they need ' +
      'no database. Exit code 1 when a test fails.',
    flags: [...SELECTION_FLAGS, ...resourceTypeFlags(), STORE_FAILURES, JUNIT, UPDATE, VERBOSE],
    examples: [
      'seg test',
      'seg test --select alice_leaves --update',
      'seg test --select test_type:scenario --junit-xml report.xml',
      'seg test -s user_alerts',
    ],
    load: async () => (await import('./commands/test.ts')).test,
  },
  {
    name: 'plan',
    group: 'Build:',
    summary: 'show what `seg run` would create, change and drop',
    description:
      'Does what seg run would do, counts the rows that come and go, and undoes it: the figures are exact and nothing changes.',
    flags: [...SELECTION_FLAGS, FULL_REFRESH, PRUNE, outputFlag('table', 'json', 'csv', 'text')],
    examples: ['seg plan', 'seg plan --select user_alerts+'],
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'retry',
    group: 'Build:',
    summary: 'run again what failed or was skipped last time',
    description:
      'Reads run_results.json of the last run (or of --state) and repeats its command on those nodes.',
    flags: [],
    load: async () => (await import('./commands/retry.ts')).retry,
  },
  {
    name: 'run-operation',
    group: 'Build:',
    summary: 'run the SQL that a macro renders',
    description: 'Calls a macro of the project and runs what it gives as SQL.',
    arguments: [{ syntax: '<macro>', help: 'name of the macro' }],
    flags: [{ name: 'args', kind: 'yaml', argument: 'yaml', help: `arguments, for example '{days: 30}'` }],
    examples: [`seg run-operation cleanup --args '{days: 30}'`],
    load: async () => (await import('./commands/run-operation.ts')).runOperation,
  },
];

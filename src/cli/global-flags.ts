import type { Flag } from './flag.ts';

const PLACE = 'Where:';
const RUN = 'How to run:';
const LOG = 'Output:';

/** Accepted before and after the command; each also by the environment, as SEG_X, DBT_ENGINE_X or DBT_X. */
export const GLOBAL_FLAGS: readonly Flag[] = fromEnvironmentToo([
  {
    name: 'project-dir',
    kind: 'string',
    argument: 'dir',
    help: 'folder of the project (default: this one or one above)',
    group: PLACE,
  },
  { name: 'profiles-dir', kind: 'string', argument: 'dir', help: 'folder of profiles.yml', group: PLACE },
  {
    name: 'profile',
    kind: 'string',
    argument: 'name',
    help: "profile to use instead of the project file's",
    group: PLACE,
  },
  {
    name: 'target',
    short: 't',
    kind: 'string',
    argument: 'name',
    help: 'target of the profile',
    group: PLACE,
  },
  {
    name: 'target-path',
    kind: 'string',
    argument: 'dir',
    help: 'folder for artifacts instead of target/',
    group: PLACE,
  },
  {
    name: 'state',
    kind: 'string',
    argument: 'dir',
    help: 'artifacts of an earlier run, for state: and result:',
    group: PLACE,
  },
  {
    name: 'vars',
    kind: 'yaml',
    argument: 'yaml',
    help: `project variables, for example '{key: value}'`,
    group: RUN,
  },
  {
    name: 'threads',
    kind: 'integer',
    argument: 'n',
    help: 'how many unit tests and scenarios run at once',
    group: RUN,
  },
  { name: 'fail-fast', short: 'x', kind: 'boolean', help: 'stop at the first failure', group: RUN },
  { name: 'warn-error', kind: 'boolean', help: 'treat warnings as errors', group: RUN },
  {
    name: 'warn-error-options',
    kind: 'yaml',
    argument: 'yaml',
    help: `which: '{error: all, warn: [SEG115], silence: []}'`,
    group: RUN,
  },
  {
    name: 'write-json',
    kind: 'boolean',
    default: true,
    help: 'do not write artifacts to target/',
    group: RUN,
  },
  { name: 'quiet', short: 'q', kind: 'boolean', help: 'log errors only', group: LOG },
  { name: 'debug', short: 'd', kind: 'boolean', help: 'log everything, and stack traces', group: LOG },
  {
    name: 'log-level',
    kind: 'string',
    argument: 'level',
    choices: ['debug', 'info', 'warn', 'error', 'none'],
    default: 'info',
    help: 'debug, info, warn, error or none',
    group: LOG,
  },
  {
    name: 'log-format',
    kind: 'string',
    argument: 'format',
    choices: ['default', 'text', 'debug', 'json'],
    default: 'text',
    help: 'text, debug or json',
    group: LOG,
  },
  {
    name: 'log-path',
    kind: 'string',
    argument: 'dir',
    help: 'folder of the log file instead of logs/',
    group: LOG,
  },
  {
    name: 'log-level-file',
    kind: 'string',
    argument: 'level',
    choices: ['debug', 'info', 'warn', 'error', 'none'],
    default: 'debug',
    help: 'the same for the log file',
    group: LOG,
  },
  {
    name: 'log-format-file',
    kind: 'string',
    argument: 'format',
    choices: ['default', 'text', 'debug', 'json'],
    default: 'debug',
    help: 'the same for the log file',
    group: LOG,
  },
  { name: 'use-colors', kind: 'boolean', help: 'colours in any case (--no-use-colors: never)', group: LOG },
  {
    name: 'printer-width',
    kind: 'integer',
    argument: 'n',
    default: 80,
    help: 'width of progress lines',
    group: LOG,
  },
]);

function fromEnvironmentToo(flags: readonly Flag[]): Flag[] {
  return flags.map((flag) => ({ ...flag, env: true }));
}

/**
 * dbt's flags that steer machinery seg does not have. Scripts pass them, so they are taken, and each says that it
 * changes nothing.
 */
export const FOREIGN_FLAGS: readonly (Flag & { readonly because: string })[] = [
  foreign('partial-parse', 'seg always loads the whole project'),
  foreign('static-parser', 'seg always renders the whole template'),
  foreign('use-experimental-parser', 'seg always renders the whole template'),
  foreign('populate-cache', 'seg keeps no cache of relations'),
  foreign('cache-selected-only', 'seg keeps no cache of relations'),
  foreign('introspect', 'seg compiles without asking the database'),
  foreign('version-check', 'seg is not bound to a version of dbt'),
  foreign('send-anonymous-usage-stats', 'seg sends nothing'),
  foreign('clean-project-files-only', 'seg clean never leaves the project'),
  foreign('use-colors-file', 'the log file has no colours'),
];

function foreign(name: string, because: string): Flag & { readonly because: string } {
  return { name, kind: 'boolean', help: `no effect: ${because}`, hidden: true, env: true, because };
}

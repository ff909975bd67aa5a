import type { CommandDefinition } from './command-definition.ts';
import { helpOf, type Flag } from './flag.ts';

const GROUPS: readonly CommandDefinition['group'][] = ['Begin:', 'Build:', 'Look:', 'Stream:', 'Tidy up:'];

const EXAMPLES: readonly (readonly [line: string, what: string])[] = [
  ['seg init demo && cd demo && seg build', 'a project that runs, and its first build'],
  ['seg ingest segment_events events.ndjson.gz', 'events into a source; every view follows'],
  ['seg show segment_sizes --limit 20', 'rows of a model'],
  ['seg subscribe segment_toggles', 'a model and its changes, one JSON line each'],
  ['seg test -s test_type:scenario', 'event sequences with a moving clock'],
];

/** What `seg` and `seg --help` print: every command and every flag they share, on one line each. */
export function rootHelp(commands: readonly CommandDefinition[], flags: readonly Flag[]): string {
  const lines = ['dbt for streaming: SQL models become views that are always up to date.', ''];
  lines.push('Usage: seg <command> [flags]', '');
  for (const group of GROUPS) {
    lines.push(group);
    for (const command of commands.filter((candidate) => candidate.group === group)) {
      lines.push(row([command.alias, command.name].filter(Boolean).join(', '), command.summary));
    }
    lines.push('');
  }
  for (const group of new Set(flags.map((flag) => flag.group))) {
    lines.push(`Flags · ${group}`);
    for (const flag of flags)
      if (flag.group === group && flag.hidden !== true) lines.push(row(termOf(flag), helpOf(flag)));
    lines.push('');
  }
  lines.push(
    'Flags · Help:',
    row('-h, --help', '`seg <command> --help` tells more'),
    row('-V, --version', 'print the version'),
    '',
  );
  const widest = Math.max(...EXAMPLES.map(([line]) => line.length));
  lines.push('Examples:', ...EXAMPLES.map(([line, what]) => `  ${line.padEnd(widest)}   ${what}`), '');
  lines.push(
    'Flags stand before or behind the command, or in the environment: --target is also SEG_TARGET,',
    'DBT_ENGINE_TARGET and DBT_TARGET. Exit codes: 0 done, 1 a model, test or record failed, 2 wrong',
    'usage or a mistake in the project. Results go to stdout, logs to stderr and logs/seg.log.',
  );
  return `${lines.join('\n')}\n`;
}

function termOf(flag: Flag): string {
  const name = flag.kind === 'boolean' && flag.default === true ? `no-${flag.name}` : flag.name;
  return `${flag.short ? `-${flag.short}, ` : ''}--${name}${flag.argument ? ` <${flag.argument}>` : ''}`;
}

function row(term: string, help: string): string {
  return `  ${term.padEnd(28)} ${help}`;
}

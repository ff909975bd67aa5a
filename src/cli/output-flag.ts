import type { Flag } from './flag.ts';

/** `--output` of commands that answer in several forms; the first is the default. */
export function outputFlag(...choices: [string, ...string[]]): Flag {
  return {
    name: 'output',
    short: 'o',
    kind: 'string',
    argument: 'form',
    choices,
    default: choices[0],
    help: `form of the answer: ${choices.join(', ')}`,
  };
}

/** Which keys of a step go together: what a JSON Schema cannot say. Pure. */
import type { JsonValue } from '../changelog/change.ts';

export interface KeyMistake {
  readonly message: string;
  /** The key it is about; null = the step. */
  readonly key: string | null;
  readonly hint?: string;
}

const actions = [
  'at',
  'advance',
  'restart',
  'kill',
  'seed',
  'run',
  'sql',
  'ingest',
  'expect',
  'changes',
  'expect_sink',
  'verify',
];
const expectKeys = ['rows', 'file', 'format', 'contains', 'where', 'columns', 'ordered', 'key', 'count'];
const ingestKeys = ['records', 'generate', 'any_order', 'accepted', 'duplicate', 'rejected'];
const oneOf = [
  ['at', 'advance'],
  ['restart', 'kill'],
  ['seed', 'ingest'],
] as const;

/** @param number the step's, from 1, for the messages */
export function keyMistakes(fields: Readonly<Record<string, JsonValue>>, number: number): KeyMistake[] {
  const has = (key: string): boolean => Object.hasOwn(fields, key);
  const mistakes: KeyMistake[] = [];
  const add = (key: string | null, message: string, hint?: string): void => {
    mistakes.push({ key, message, ...(hint === undefined ? {} : { hint }) });
  };
  if (!actions.some(has)) add(null, `step ${number} does nothing`, `Give it one of ${actions.join(', ')}.`);
  for (const [one, other] of oneOf) {
    if (has(one) && has(other))
      add(other, `step ${number} has both "${one}" and "${other}"`, 'Use two steps.');
  }
  if (has('error') && !has('sql'))
    add('error', `"error" of step ${number} belongs to "sql", which is absent`);
  for (const key of ingestKeys) {
    if (!has(key) || has('ingest') || (key === 'records' && has('seed'))) continue;
    add(key, `"${key}" of step ${number} belongs to "ingest", which is absent`);
  }
  // Rows beside a name belong to it; where several names could claim them, the longer form says whose they are.
  const short = ['expect', 'changes'].filter((key) => typeof fields[key] === 'string');
  if (short.length === 2) {
    const hint = 'Write them as mappings, "expect: {model: rows}", or use two steps.';
    add('changes', `step ${number} has both "expect" and "changes" with a name only`, hint);
  }
  const takesFile = has('ingest') || has('seed');
  for (const key of expectKeys) {
    const isFile = key === 'file' || key === 'format';
    if (!has(key)) continue;
    if (isFile && takesFile && short.length > 0) {
      add(key, `"${key}" of step ${number} could belong to two actions`, 'Use two steps.');
    }
    if (short.length > 0 || (isFile && takesFile) || (key === 'rows' && has('seed'))) continue;
    const hint = has('ingest') && key === 'rows' ? 'Records to ingest are given as "records".' : undefined;
    add(
      key,
      `"${key}" of step ${number} belongs to an "expect" or "changes" with a model's name, which is absent`,
      hint,
    );
  }
  return mistakes;
}

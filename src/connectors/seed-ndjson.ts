import { parseJson } from '../json/exact-json.ts';
import type { ExactJson } from '../json/exact-json.ts';
import { JsonNumber } from '../json/json-number.ts';
import { refusal, tooDeep } from '../json/storable.ts';
import type { SeedNode } from '../project/nodes.ts';
import { BadValue } from './bad-value.ts';
import { encoderFor } from './column-encoder.ts';
import { parseDataType } from './data-type.ts';
import type { TextInput } from './formats/lines.ts';
import { readNdjson } from './formats/ndjson.ts';
import { checkName, columnName, declaredType } from './seed-columns.ts';
import type { SeedData } from './seed-data.ts';
import type { SeedProblems } from './seed-problems.ts';

type Content = Pick<SeedData, 'columns' | 'rows' | 'lines'>;

interface Column {
  readonly name: string;
  readonly declared: string | undefined;
  /** Which kinds of JSON values stand in it. */
  readonly kinds: Set<'integer' | 'bigint' | 'decimal' | 'boolean' | 'string' | 'nested'>;
}

/**
 * Reads an NDJSON seed: one object a line, one column for each name found, in the order they first appear. JSON knows
 * its types, so nothing is guessed from text: whole numbers are integer or bigint, other numbers numeric, objects and
 * arrays jsonb, strings text, and a column that mixes kinds is text (jsonb when some are nested).
 */
export async function readNdjsonSeed(
  node: SeedNode,
  input: TextInput,
  problems: SeedProblems,
): Promise<Content> {
  const columns = new Map<string, Column>();
  const records: { line: number; text: string; values: Map<string, ExactJson> }[] = [];
  for await (const lines of readNdjson(input)) {
    for (const { line, text, problem } of lines) {
      const hint = 'Every line must be one JSON object, in UTF-8.';
      if (problem !== undefined) {
        problems.add('SEG511', `this line cannot be read: ${problem}`, { line }, { hint });
        continue;
      }
      try {
        const values = readObject(node, text);
        for (const [name, value] of values) {
          let column = columns.get(name);
          if (column === undefined) {
            checkName(name, problems, { line });
            column = { name, declared: declaredType(node, name), kinds: new Set() };
            columns.set(name, column);
          }
          if (value !== null && column.declared === undefined) column.kinds.add(kindOf(value));
        }
        records.push({ line, text, values });
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        problems.add('SEG511', `this line cannot be read: ${error.reason}`, { line }, { hint });
      }
    }
  }
  if (columns.size === 0)
    problems.add('SEG510', 'the seed is empty', { line: 1 }, { hint: 'It needs at least one JSON object.' });
  const encoders = [...columns.values()].map((column) => {
    const type = column.declared ?? inferredType(column.kinds);
    return { name: column.name, declared: column.declared, type, encode: encoderFor(parseDataType(type)) };
  });
  const rows = records.map(({ line, text, values }) =>
    encoders.map(({ name, declared, type, encode }) => {
      const found = values.get(name);
      if (found === undefined || found === null) return null;
      try {
        return encode(found);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        const at = text.search(new RegExp(`"${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"\\s*:`));
        problems.add(
          'SEG514',
          `column "${name}": ${error.reason}`,
          { line, column: at + 1, length: name.length + 2 },
          {
            hint: `The column is declared as ${declared ?? type}. Correct the value, or the type under column_types.`,
          },
        );
        return null;
      }
    }),
  );
  return {
    columns: encoders.map(({ name, type }) => ({ name, type })),
    rows,
    lines: records.map(({ line }) => line),
  };
}

function readObject(node: SeedNode, text: string): Map<string, ExactJson> {
  const deep = tooDeep(text);
  if (deep !== undefined) throw new BadValue(deep);
  let parsed;
  try {
    parsed = parseJson(text);
  } catch (error) {
    throw new BadValue(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed) || parsed instanceof JsonNumber)
    throw new BadValue('not a JSON object');
  const refused = refusal(text);
  if (refused !== undefined) throw new BadValue(refused);
  return new Map(Object.entries(parsed).map(([key, value]) => [columnName(node, key), value]));
}

function kindOf(
  value: Exclude<ExactJson, null>,
): 'integer' | 'bigint' | 'decimal' | 'boolean' | 'string' | 'nested' {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'object' && !(value instanceof JsonNumber)) return 'nested';
  const digits = String(value);
  if (!/^-?\d+$/.test(digits)) return 'decimal';
  const whole = BigInt(digits);
  if (BigInt.asIntN(32, whole) === whole) return 'integer';
  return BigInt.asIntN(64, whole) === whole ? 'bigint' : 'decimal';
}

function inferredType(kinds: ReadonlySet<string>): string {
  if (kinds.has('nested')) return 'jsonb';
  if (kinds.has('string') || kinds.size === 0) return 'text';
  if (kinds.has('boolean')) return kinds.size === 1 ? 'boolean' : 'text';
  if (kinds.has('decimal')) return 'numeric';
  return kinds.has('bigint') ? 'bigint' : 'integer';
}

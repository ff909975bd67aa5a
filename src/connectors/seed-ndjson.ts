import type { SeedNode } from '../project/nodes.ts';
import { BadValue } from './bad-value.ts';
import { encoderFor } from './column-encoder.ts';
import { parseDataType } from './data-type.ts';
import { exactStringify, parseExact, refusal, unmark } from './exact-json.ts';
import type { TextInput } from './formats/lines.ts';
import { readNdjson } from './formats/ndjson.ts';
import { columnName, declaredType } from './seed-columns.ts';
import type { SeedData } from './seed-data.ts';
import type { SeedProblems } from './seed-problems.ts';

type Content = Pick<SeedData, 'columns' | 'rows' | 'lines'>;

interface Column {
  readonly name: string;
  readonly declared: string | undefined;
  /** Which kinds of JSON values stand in it. */
  readonly kinds: Set<'integer' | 'bigint' | 'decimal' | 'boolean' | 'string' | 'nested'>;
}

interface Value {
  readonly value: unknown;
  readonly mark: string | null;
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
  const records: { line: number; text: string; values: Map<string, Value> }[] = [];
  for await (const lines of readNdjson(input)) {
    for (const { line, text, problem } of lines) {
      const hint = 'Every line must be one JSON object, in UTF-8.';
      if (problem !== undefined) {
        problems.add('SEG511', `this line cannot be read: ${problem}`, { line }, { hint });
        continue;
      }
      try {
        const values = readObject(node, text);
        for (const [name, { value, mark }] of values) {
          let column = columns.get(name);
          if (column === undefined) {
            column = { name, declared: declaredType(node, name), kinds: new Set() };
            columns.set(name, column);
          }
          if (value !== null && column.declared === undefined) column.kinds.add(kindOf(value, mark));
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
  let mark: string | null = null;
  const encoders = [...columns.values()].map((column) => {
    const type = column.declared ?? inferredType(column.kinds);
    const encode = encoderFor(parseDataType(type), {
      toJson: (value) => exactStringify(value, mark),
      unmark: (value) => unmark(value, mark),
    });
    return { name: column.name, declared: column.declared, type, encode };
  });
  const rows = records.map(({ line, text, values }) =>
    encoders.map(({ name, declared, type, encode }) => {
      const found = values.get(name);
      if (found === undefined || found.value === null) return null;
      mark = found.mark;
      try {
        return encode(type === 'jsonb' || type === 'json' ? found.value : unmark(found.value, mark));
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

function readObject(node: SeedNode, text: string): Map<string, Value> {
  let parsed;
  try {
    parsed = parseExact(text);
  } catch (error) {
    throw new BadValue(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { exact, mark } = parsed;
  if (typeof exact !== 'object' || exact === null || Array.isArray(exact))
    throw new BadValue('not a JSON object');
  const refused = refusal(text);
  if (refused !== undefined) throw new BadValue(refused);
  const values = new Map<string, Value>();
  for (const [key, value] of Object.entries(exact))
    values.set(columnName(node, key), { value: value as unknown, mark });
  return values;
}

function kindOf(
  value: unknown,
  mark: string | null,
): 'integer' | 'bigint' | 'decimal' | 'boolean' | 'string' | 'nested' {
  if (typeof value === 'object') return 'nested';
  if (typeof value === 'boolean') return 'boolean';
  const plain = unmark(value, mark);
  if (plain !== value) {
    const fits =
      /^-?\d+$/.test(plain as string) &&
      BigInt.asIntN(64, BigInt(plain as string)) === BigInt(plain as string);
    return fits ? 'bigint' : 'decimal';
  }
  if (typeof value === 'string') return 'string';
  if (!Number.isInteger(value)) return 'decimal';
  return Math.abs(value as number) <= 2_147_483_647
    ? 'integer'
    : Number.isSafeInteger(value)
      ? 'bigint'
      : 'decimal';
}

function inferredType(kinds: ReadonlySet<string>): string {
  if (kinds.has('nested')) return 'jsonb';
  if (kinds.has('string') || kinds.size === 0) return 'text';
  if (kinds.has('boolean')) return kinds.size === 1 ? 'boolean' : 'text';
  if (kinds.has('decimal')) return 'numeric';
  return kinds.has('bigint') ? 'bigint' : 'integer';
}

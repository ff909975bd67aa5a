/** Statements of a history: what applications and people do to tables. */
import type { Choices } from './choices.ts';
import { cast, literal, types, value } from './sql-types.ts';
import type { Table } from './tables.ts';

/** A COPY stands as one line and its data below, which the runner sends on. */
export const copyPrefix = 'COPY ';

/** What a statement may do. */
export interface Bounds {
  /** Thousands of rows at once. */
  readonly flood: boolean;
  /** Not many rows: else a column of a flooded table would take one value everywhere, and joins by it all pairs. */
  readonly few: boolean;
}

const somewhere = (table: Table, choices: Choices, few: boolean): string => {
  const column = choices.of(table.columns);
  const { name } = column;
  switch (few ? 0 : choices.below(6)) {
    case 0:
      return `${name} = ${fieldOf(column, choices)}`;
    case 1:
      return `${name} ${choices.of(['>', '<='])} ${fieldOf(column, choices)}`;
    case 2:
      return `${name} IS NULL`;
    case 3:
      return 'true';
    case 4:
      return `${name} IS DISTINCT FROM ${fieldOf(column, choices)}`;
    default:
      return 'false';
  }
};

function fieldOf(column: Table['columns'][number], choices: Choices): string {
  const n = choices.below(12);
  if (column.key) return literal(column.type, types[column.type].key(n + 1));
  if (column.nullable && choices.oneIn(6)) return cast('NULL', column.type);
  return value(column.type, n);
}

function rows(table: Table, choices: Choices, most = 5): string[] {
  return Array.from(
    { length: 1 + choices.below(most) },
    () => `(${table.columns.map((column) => fieldOf(column, choices)).join(', ')})`,
  );
}

/** At most one row a key, as one statement may write each row once only. */
function distinctRows(table: Table, choices: Choices): string {
  const keys = table.columns.filter(({ key }) => key).length;
  const made = rows(table, choices);
  return [...new Map(made.map((row) => [row.split(', ').slice(0, keys).join(', '), row])).values()].join(
    ', ',
  );
}

const keyList = (table: Table): string =>
  table.columns
    .filter(({ key }) => key)
    .map(({ name }) => name)
    .join(', ');

function assignment(table: Table, choices: Choices): string {
  const column = choices.of(table.columns);
  const { name, type } = column;
  if (column.key)
    return type === 'integer' || type === 'bigint' ? `${name} = ${name} + 20` : `${name} = ${name}`;
  if (type === 'integer' && choices.oneIn(3)) return `${name} = ${name} + 1`;
  return `${name} = ${fieldOf(column, choices)}`;
}

type Make = (table: Table, choices: Choices, few: boolean) => string;

const update: Make = (table, choices, few) =>
  `UPDATE ${table.name} SET ${assignment(table, choices)} WHERE ${somewhere(table, choices, few)}`;

const insert: Make = (table, choices) => {
  const conflict = table.keyed && !choices.oneIn(6) ? ' ON CONFLICT DO NOTHING' : '';
  return `INSERT INTO ${table.name} VALUES ${rows(table, choices).join(', ')}${conflict}`;
};

const remove: Make = (table, choices, few) =>
  `DELETE FROM ${table.name} WHERE ${somewhere(table, choices, few)}`;

const upsert: Make = (table, choices) => {
  if (!table.keyed) return insert(table, choices, false);
  const others = table.columns.filter(({ key }) => !key);
  const action =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map(({ name }) => `${name} = excluded.${name}`).join(', ')}`;
  return `INSERT INTO ${table.name} VALUES ${distinctRows(table, choices)} ON CONFLICT (${keyList(table)}) DO ${action}`;
};

const merge: Make = (table, choices, few) => {
  if (!table.keyed) return update(table, choices, few);
  const list = table.columns.map(({ name }) => name).join(', ');
  const on = table.columns
    .filter(({ key }) => key)
    .map(({ name }) => `t.${name} = s.${name}`)
    .join(' AND ');
  const set = table.columns.filter(({ key }) => !key);
  const matched =
    set.length === 0 ? 'DO NOTHING' : `UPDATE SET ${set.map(({ name }) => `${name} = s.${name}`).join(', ')}`;
  const gone = set.length === 0 ? '' : ` WHEN MATCHED AND s.${set[0]!.name} IS NULL THEN DELETE`;
  return `MERGE INTO ${table.name} AS t USING (VALUES ${distinctRows(table, choices)}) AS s (${list}) ON ${on}${gone} WHEN MATCHED THEN ${matched} WHEN NOT MATCHED THEN INSERT VALUES (${table.columns.map(({ name }) => `s.${name}`).join(', ')})`;
};

/** Rows enough that what depends on them is computed set-wise; and what touches many of them. */
const big = (table: Table, choices: Choices): string => {
  const from = 1000 + 5000 * choices.below(4);
  const count = 510 + choices.below(200);
  switch (choices.below(9)) {
    case 7:
      return `UPDATE ${table.name} SET ${String(table.columns.filter(({ key }) => !key).map(({ name, type }) => `${name} = ${name}${type === 'integer' ? ' + 1' : ''}`)) || `${table.columns[0]!.name} = ${table.columns[0]!.name}`}`;
    case 8:
      return `DELETE FROM ${table.name}`;
    default: {
      const fields = table.columns.map(({ type, key }) => (key ? manyKeys[type] : types[type].many));
      const conflict = table.keyed ? ' ON CONFLICT DO NOTHING' : '';
      return `INSERT INTO ${table.name} SELECT ${String(fields)} FROM generate_series(${from}, ${from + count}) AS i${conflict}`;
    }
  }
};

/** Rows in every table, enough that what reads all pairs of them is seen. */
const fill = (tables: readonly Table[]): string => {
  const inserts = tables.map(({ name, columns, keyed }) => {
    const fields = columns.map(({ type, key }) => (key ? manyKeys[type] : types[type].many));
    return `INSERT INTO ${name} SELECT ${String(fields)} FROM generate_series(300, 440) AS i${keyed ? ' ON CONFLICT DO NOTHING' : ''}`;
  });
  return `BEGIN; ${inserts.join('; ')}; COMMIT`;
};

/** A key for each `i`. */
const manyKeys: Readonly<Record<string, string>> = {
  integer: 'i',
  bigint: '9007199254740993 + i',
  text: "'id' || i",
  uuid: "('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid",
};

const copy = (table: Table, choices: Choices): string => {
  const escaped = (text: string): string => text.replaceAll('\\', '\\\\');
  const lines = Array.from({ length: 1 + choices.below(4) }, () =>
    table.columns
      .map(({ type, key, nullable }) => {
        const n = choices.below(12);
        if (key) return types[type].key(n + 1);
        if (nullable && n === 11) return '\\N';
        return escaped(types[type].values[n % types[type].values.length]!);
      })
      .join('\t'),
  );
  return `${copyPrefix}${table.name}\n${lines.map((line) => `${line}\n`).join('')}`;
};

/** One write of a table, as a trigger does it too. */
export type TableChange = (table: Table, choices: Choices) => string;

/** What happens to a partition or child by itself. */
const part = (table: Table, choices: Choices, few: boolean): string => {
  const [first] = table.parts;
  if (first === undefined) return insert(table, choices, few);
  const { name, bound } = choices.of(table.parts);
  const of = { ...table, name };
  const [off, on] =
    table.form === 'partitioned'
      ? [`DETACH PARTITION ${name}`, `ATTACH PARTITION ${name} ${bound}`]
      : ['', ''];
  return choices.of([
    () => `TRUNCATE ${name}`,
    () => insert(of, choices, few),
    () => update(of, choices, few),
    () => remove(of, choices, few),
    () => (off === '' ? `ALTER TABLE ${name} NO INHERIT ${table.name}` : `ALTER TABLE ${table.name} ${off}`),
    () => (on === '' ? `ALTER TABLE ${name} INHERIT ${table.name}` : `ALTER TABLE ${table.name} ${on}`),
    () => `DELETE FROM ONLY ${table.name}`,
    () => `TRUNCATE ONLY ${table.name}`,
  ])();
};

const singles = { insert, update, delete: remove, upsert } as const;
export const change: TableChange = (table, choices) =>
  singles[choices.of(['update', 'insert', 'delete', 'upsert'] as const)](table, choices, false);
const single = (tables: readonly Table[], choices: Choices, few: boolean): string =>
  singles[choices.of(['insert', 'update', 'delete', 'upsert'] as const)](choices.of(tables), choices, few);

/** Statements of one SQL statement: each sees the tables as they were before it. */
const several = (tables: readonly Table[], choices: Choices, few: boolean): string => {
  const parts = Array.from(
    { length: 2 + choices.below(2) },
    (_, i) => `s${i} AS (${single(tables, choices, few)} RETURNING 1)`,
  );
  return `WITH ${parts.join(', ')} SELECT count(*) FROM s0`;
};

const transaction = (tables: readonly Table[], choices: Choices, few: boolean): string => {
  const parts = Array.from({ length: 1 + choices.below(3) }, () => single(tables, choices, few));
  const last = single(tables, choices, few);
  switch (choices.below(4)) {
    case 2:
      return `BEGIN; ${parts.join('; ')}; ROLLBACK`;
    case 3:
      return `BEGIN; ${parts.join('; ')}; SAVEPOINT s; ${last}; ROLLBACK TO SAVEPOINT s; COMMIT`;
    default:
      return `BEGIN; ${[...parts, last].join('; ')}; COMMIT`;
  }
};

const clock = (choices: Choices): string =>
  `UPDATE "_seg".clock SET "now" = "now" + interval '${1 + choices.below(4)} minutes'`;

const perTable: Readonly<Record<string, Make>> = {
  ...singles,
  merge,
  copy,
};

export function statement(
  name: string,
  tables: readonly Table[],
  choices: Choices,
  { flood, few }: Bounds,
): string {
  switch (name) {
    case 'several':
      return several(tables, choices, few);
    case 'transaction':
      return transaction(tables, choices, few);
    case 'clock':
      return clock(choices);
    case 'truncate':
      return `TRUNCATE ${choices
        .some(tables, 1, 2)
        .map((table) => table.name)
        .join(', ')}`;
    case 'fill':
      return flood ? fill(tables) : insert(choices.of(tables), choices, few);
    case 'part':
      return part(
        choices.of(tables.filter((each) => each.parts.length > 0)) ?? choices.of(tables),
        choices,
        few,
      );
    case 'big':
      return flood ? big(choices.of(tables), choices) : insert(choices.of(tables), choices, few);
    default:
      return perTable[name]!(choices.of(tables), choices, few);
  }
}

/** Whether the statement is one change of one table, so that its part of a feed holds each row once. */
export function isPlain(sql: string): boolean {
  return /^(COPY|UPDATE|DELETE)\b|^INSERT(?!.*ON CONFLICT.*DO UPDATE)|^TRUNCATE [^,]*$/s.test(sql);
}

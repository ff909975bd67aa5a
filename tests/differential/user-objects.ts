/** What else a user's database holds: functions, triggers, and objects that bear the names of PostgreSQL's own. */
import type { UserFunction } from './choices.ts';
import { Choices } from './choices.ts';
import type { TableChange } from './statements.ts';
import { value } from './sql-types.ts';
import type { Table } from './tables.ts';

export interface MadeFunction extends UserFunction {
  readonly sql: string;
}

/** One function of an integer for each list of numbers. */
export function functionOf(n: readonly number[], index: number, tables: readonly Table[]): MadeFunction {
  const choices = new Choices(n);
  const volatility = choices.of(['IMMUTABLE', 'STABLE', 'STABLE', 'VOLATILE'] as const);
  const table = choices.of(tables).name;
  const readsTables = volatility !== 'IMMUTABLE' && !choices.oneIn(3);
  const value = readsTables ? `coalesce($1, 0) + (SELECT count(*)::integer FROM ${table})` : '$1 * 2 + 1';
  const name = `f${index}`;
  const strict = choices.oneIn(3) ? ' STRICT' : '';
  const head = `CREATE FUNCTION ${name}(integer) RETURNS integer ${volatility}${strict}`;
  const sql = choices.of([
    `${head} LANGUAGE sql AS $of_the_test$ SELECT ${value} $of_the_test$`,
    `${head} LANGUAGE plpgsql AS $of_the_test$ BEGIN RETURN ${value}; END $of_the_test$`,
    `${head} LANGUAGE sql BEGIN ATOMIC SELECT ${value}; END`,
    `${head} LANGUAGE plpgsql AS $of_the_test$ DECLARE r integer; BEGIN EXECUTE $q$ SELECT ${value} $q$ INTO r USING $1; RETURN r; END $of_the_test$`,
  ]);
  return { name, volatility, opaque: readsTables || sql.includes(' EXECUTE '), sql };
}

export interface MadeTrigger {
  readonly statements: readonly string[];
  /** Made when the views are there already. */
  readonly late: boolean;
}

/** A trigger that writes its own table, or another one, or changes the row on its way. */
export function triggerOf(
  n: readonly number[],
  index: number,
  tables: readonly Table[],
  write: TableChange,
): MadeTrigger {
  const choices = new Choices(n);
  const table = choices.of(tables);
  const timing = choices.of(['AFTER', 'BEFORE']);
  const level = choices.of(['ROW', 'STATEMENT']);
  const events = choices.of(['INSERT', 'UPDATE', 'DELETE', 'INSERT OR UPDATE', 'INSERT OR UPDATE OR DELETE']);
  const target = choices.oneIn(3) ? choices.of(tables) : table;
  const others = target.columns.filter(({ key }) => !key);
  const touched = others.find(({ type }) => type === 'integer');
  const touch =
    touched === undefined
      ? others.length === 0
        ? `DELETE FROM ${target.name}`
        : `UPDATE ${target.name} SET ${others[0]!.name} = ${value(others[0]!.type, 1)}`
      : `UPDATE ${target.name} SET ${touched.name} = coalesce(${touched.name}, 0) + 1`;
  const action = choices.of([() => touch, () => write(target, choices), () => write(target, choices)])();
  const column = table.columns.find(({ key, nullable, type }) => !key && nullable && type === 'integer');
  const onTheWay =
    timing === 'BEFORE' && level === 'ROW' && !events.includes('DELETE')
      ? choices.of([
          '',
          column === undefined ? '' : `NEW.${column.name} := 3;`,
          'IF random() < 0 THEN RETURN NULL; END IF;',
        ])
      : '';
  const back =
    level === 'ROW' && timing === 'BEFORE'
      ? events.includes('DELETE')
        ? 'coalesce(NEW, OLD)'
        : 'NEW'
      : 'NULL';
  const name = choices.of([`"A first ${index}"`, `_a${index}`, `_seg_${index}`, `zz_last_${index}`]);
  const body = choices.oneIn(6) ? onTheWay : `${onTheWay} ${action};`;
  return {
    late: choices.oneIn(3),
    statements: [
      `CREATE FUNCTION on_write${index}() RETURNS trigger LANGUAGE plpgsql AS $of_the_test$ BEGIN IF pg_trigger_depth() > 1 THEN RETURN ${back}; END IF; ${body} RETURN ${back}; END $of_the_test$`,
      `CREATE TRIGGER ${name} ${timing} ${events} ON ${table.name} FOR EACH ${level} EXECUTE FUNCTION on_write${index}()`,
    ],
  };
}

const shadowNames = [
  'name',
  'oid',
  'text',
  'regclass',
  'int4',
  'int8',
  'bool',
  'float8',
  'jsonb',
  'record',
  'pg_class',
  'pg_attribute',
  'pg_type',
  'plan',
  'clock',
  'epoch',
];
/** Functions of PostgreSQL that generated queries do not call, so that only seg's own SQL could meet the user's. */
const shadowFunctions = [
  'now()',
  'hashtext(pg_catalog.text)',
  'md5(pg_catalog.text)',
  'format(pg_catalog.text, pg_catalog.text)',
  'row_to_json(anyelement)',
  'pg_advisory_xact_lock(bigint)',
  'hash_record_extended(pg_catalog.record, bigint)',
  'current_setting(pg_catalog.text)',
  'current_setting(pg_catalog.text, boolean)',
  'set_config(pg_catalog.text, pg_catalog.text, boolean)',
  'quote_ident(pg_catalog.text)',
  'quote_literal(pg_catalog.text)',
  'pg_trigger_depth()',
  'hashtextextended(pg_catalog.text, bigint)',
];

/** Statements that put one to three of the user's objects in the way of PostgreSQL's names. */
export function shadowsOf(choices: Choices): string[] {
  const names = choices.some(shadowNames, 3, 3);
  return Array.from({ length: 1 + choices.below(3) }, (_, i) =>
    choices.of([
      () => `CREATE TABLE "${names[i]}" (a integer)`,
      () => `CREATE TYPE "${names[i]}" AS ENUM ('x')`,
      () => `CREATE DOMAIN "${names[i]}" AS pg_catalog.int4`,
      () =>
        `CREATE OR REPLACE FUNCTION ${choices.of(shadowFunctions)} RETURNS integer LANGUAGE plpgsql AS $of_the_test$ BEGIN RAISE EXCEPTION 'the function of the user was called'; END $of_the_test$`,
    ])(),
  );
}

/** Casts of generated SQL, said so that no type of the user's is meant. */
export function outOfShadow(sql: string): string {
  return sql.replace(/::(text|uuid|jsonb|date|timestamptz|regclass)\b/g, '::pg_catalog.$1');
}

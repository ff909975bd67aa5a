/** Generated tables. */
import { quoteIdentifier } from '../../src/sql/quote.ts';
import type { TableSpec } from './spec.ts';
import { keyTypes, narrow, typeNames, types } from './sql-types.ts';
import type { SqlType } from './sql-types.ts';

export interface TableColumn {
  /** As SQL. */
  readonly name: string;
  readonly type: SqlType;
  readonly key: boolean;
  readonly nullable: boolean;
  readonly wide: boolean;
}

export interface Table {
  /** As SQL. */
  readonly name: string;
  readonly columns: readonly TableColumn[];
  readonly keyed: boolean;
}

const odd = ['Tä b', 'ta"ble', 'Order', "it's"];
const oddColumns = ['Key', 'group', 'c"ol', 'ünï', 'a b', "it's", 'C1', 'c1'];

/** Types of columns, the ones that most operators ask for more often. */
const columnTypes: readonly SqlType[] = [
  ...(['integer', 'text', 'integer', 'timestamptz', 'text', 'integer'] as const),
  ...typeNames,
];

export function tableOf(spec: TableSpec, index: number): Table {
  const keys = { none: 0, one: 1, two: 2 }[spec.key];
  const keyColumns = Array.from({ length: keys }, (_, i): SqlType => {
    const types = i === 0 ? keyTypes : (['integer', 'text'] as const);
    return types[(spec.columns[i] ?? 0) % types.length]!;
  });
  const others = spec.columns.slice(keys > 0 ? 1 : 0);
  const plain = others.map((n) => columnTypes[n % columnTypes.length]!);
  const all = [...keyColumns, ...plain];
  const columns = all.map((type, i): TableColumn => {
    const key = i < keys;
    return {
      name: quoteIdentifier(spec.odd ? oddColumns[i % oddColumns.length]! + (i < 8 ? '' : i) : `c${i}`),
      type,
      key,
      nullable: !key && ((others[i - keys] ?? 0) >> 5) % 4 !== 0,
      wide: !narrow.has(type),
    };
  });
  return {
    name: quoteIdentifier(spec.odd ? odd[index % odd.length]! : `t${index}`),
    columns,
    keyed: keys > 0,
  };
}

export function createTable({ name, columns, keyed }: Table): string {
  const parts = columns.map(
    (column) =>
      `${column.name} ${types[column.type].declared}${column.nullable || column.key ? '' : ' NOT NULL'}`,
  );
  const key = columns.filter((column) => column.key).map((column) => column.name);
  return `CREATE TABLE ${name} (${[...parts, ...(keyed ? [`PRIMARY KEY (${key.join(', ')})`] : [])].join(', ')})`;
}

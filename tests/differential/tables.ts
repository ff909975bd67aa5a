/** Generated tables. */
import { quoteIdentifier } from '../../src/sql/quote.ts';
import type { FeatureChoice } from './features.ts';
import { oddName } from './names.ts';
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
  readonly form: TableForm;
  /** Partitions or children. */
  readonly parts: readonly TablePart[];
}

export type TableForm = 'plain' | 'partitioned' | 'parent' | 'unlogged';

export interface TablePart {
  /** As SQL. */
  readonly name: string;
  /** What follows its name where it is attached, and where it is made. */
  readonly bound: string;
}

/** Types of columns, the ones that most operators ask for more often. */
const columnTypes: readonly SqlType[] = [
  ...(['integer', 'text', 'integer', 'timestamptz', 'text', 'integer'] as const),
  ...typeNames,
];

const formOf = (n: number, { features, sought }: FeatureChoice): TableForm => {
  const divided = sought.has('partitions') ? n % 2 === 1 : n % 8 === 7;
  if (features.has('partitions') && divided) return n % 16 < 8 ? 'partitioned' : 'parent';
  return features.has('unlogged') && n % 24 === 20 ? 'unlogged' : 'plain';
};

export function tableOf(spec: TableSpec, index: number, chosen: FeatureChoice): Table {
  const { features, sought } = chosen;
  const start = spec.columns[0] ?? 0;
  const anyName = features.has('names');
  const keys = { none: 0, one: 1, two: 2 }[spec.key];
  const keyColumns = Array.from({ length: keys }, (_, i): SqlType => {
    const types = i === 0 ? keyTypes : (['integer', 'text'] as const);
    return types[(spec.columns[i] ?? 0) % types.length]!;
  });
  const others = spec.columns.slice(keys > 0 ? 1 : 0);
  const ofOtherCollations = features.has('collations') && (sought.has('collations') || spec.form % 4 === 1);
  const possible: readonly SqlType[] = ofOtherCollations
    ? ['folded', 'integer', 'text', 'c text', ...columnTypes]
    : columnTypes;
  const plain = others.map((n) => possible[n % possible.length]!);
  const all = [...keyColumns, ...plain];
  const columns = all.map((type, i): TableColumn => {
    const key = i < keys;
    return {
      name: quoteIdentifier(spec.odd ? oddName(start, i, anyName) : `c${i}`),
      type,
      key,
      nullable: !key && ((others[i - keys] ?? 0) >> 5) % 4 !== 0,
      wide: !narrow.has(type),
    };
  });
  const form = formOf(spec.form, chosen);
  const plainName = spec.odd ? `${oddName(start, 17, anyName)}${index}` : `t${index}`;
  const partOf = (bound: string, i: number): TablePart => ({
    name: quoteIdentifier(`p${i} ${plainName}`.slice(0, 30)),
    bound,
  });
  return {
    name: quoteIdentifier(plainName),
    columns,
    keyed: keys > 0,
    form,
    parts:
      form === 'partitioned'
        ? [0, 1].map((i) => partOf(`FOR VALUES WITH (MODULUS 2, REMAINDER ${i})`, i))
        : form === 'parent'
          ? [partOf('', 0)]
          : [],
  };
}

export function createTable({ name, columns, keyed, form, parts }: Table): string {
  const declared = columns.map(
    (column) =>
      `${column.name} ${types[column.type].declared}${column.nullable || column.key ? '' : ' NOT NULL'}`,
  );
  const key = columns.filter((column) => column.key).map((column) => column.name);
  const made = `CREATE ${form === 'unlogged' ? 'UNLOGGED ' : ''}TABLE ${name} (${[...declared, ...(keyed ? [`PRIMARY KEY (${key.join(', ')})`] : [])].join(', ')})`;
  if (form === 'partitioned')
    return [
      `${made} PARTITION BY HASH (${(columns.find((column) => column.key) ?? columns[0]!).name})`,
      ...parts.map((part) => `CREATE TABLE ${part.name} PARTITION OF ${name} ${part.bound}`),
    ].join('; ');
  return [made, ...parts.map((part) => `CREATE TABLE ${part.name} () INHERITS (${name})`)].join('; ');
}

/** Every type a column can have, with the values that a reader or a writer could change on their way. */

export interface TypeCase {
  readonly type: string;
  /** As PostgreSQL reads them. Row n has the n-th, and begins anew at the end. */
  readonly values: readonly (string | null)[];
  /** Whether a maintained model can have it: its values are compared. Others travel from sources. */
  readonly compared: 'by hash' | 'by order' | 'not';
}

/** The user's own types, to be made first. */
export const ownTypes = `
CREATE TYPE mood AS ENUM ('fine', 'so "so"', 'it''s, \\ bad');
CREATE DOMAIN amount AS numeric(40, 10) CHECK (VALUE < 1e29);
CREATE DOMAIN share AS double precision;
CREATE TYPE pair AS (low double precision, "2" numeric, "1" text);
CREATE TYPE nested AS (p pair, at timestamptz, list float8[]);
`;

const digits = '1234567890'.repeat(100);
const texts = [
  '',
  'NULL',
  `'single' "double" \\ back\\slash, comma; tab\there`,
  'two\nlines\r\nand\u0001\u007f\u0085\u2028more',
  'Zürich \u{1F68B} \u{10FFFF} e\u0301 \uE000700.00',
  ' -0 ',
  '[1, 2]',
  '{"a": -0, "b":-0}',
  '__proto__',
  '12345678901234567890.10',
];

const hashed: readonly (readonly [type: string, ...values: (string | null)[]])[] = [
  ['boolean', 'true', 'false', null],
  ['smallint', '-32768', '32767', '0'],
  ['integer', '-2147483648', '2147483647'],
  ['bigint', '-9223372036854775808', '9223372036854775807', '9007199254740993'],
  ['real', '-0', 'NaN', 'Infinity', '-Infinity', '1e-45', '3.4028235e38', '0.1', '16777216', '1234567'],
  [
    'double precision',
    ...[
      '-0',
      '0',
      'NaN',
      'Infinity',
      '-Infinity',
      '5e-324',
      '-1.7976931348623157e308',
      '1e20',
      '1e21',
      '1e-7',
    ],
    ...['0.1', '9007199254740993', '123456.7'],
  ],
  [
    'numeric',
    digits,
    `-${digits}.${digits}`,
    '0.00',
    '1e-50',
    'NaN',
    'Infinity',
    '-Infinity',
    '700.00',
    '1e400',
  ],
  ['numeric(10,2)', '700', '-0', '12345678.9', 'NaN'],
  ['numeric(6,-2)', '123456'],
  ['character(5)', 'a', '', 'ü\u{1F68B}'],
  ['character varying(40)', 'a ', '', "O'Neil"],
  ['text', ...texts, null],
  ['name', 'a "name"'],
  ['"char"', 'x', '\\377', ''],
  ['bytea', '\\x', '\\x00ff0a22', '\\xdeadbeef'],
  ['date', '4713-01-01 BC', 'infinity', '-infinity', '5874897-12-31', '2024-02-29'],
  ['time', '24:00:00', '00:00:00.000001', '12:30:00.100'],
  ['timetz', '24:00:00-15:59:59', '12:30:00.123456+05:30'],
  ['timestamp', '0044-03-15 12:00:00.5 BC', '294276-12-31 23:59:59.999999', 'infinity', '-infinity'],
  [
    'timestamptz',
    '0044-03-15 12:00:00+00 BC',
    '294276-12-31 23:59:59.999999+00',
    'infinity',
    '2024-03-31 02:30:00+01',
  ],
  ['timestamp(3)', '2024-01-01 00:00:00.1239'],
  ['interval', '1 year -2 days +03:04:05.678', '-178000000 years', '00:00:00.000001', '1 mon'],
  ['uuid', '49ee9dde-e31d-4d7c-9eae-fb28527794f6'],
  [
    'jsonb',
    '{"big":9007199254740993,"scale":1.50,"10":1,"9":{"2":[1e400,-0.0],"1":null}}',
    '"-0"',
    'null',
    '[]',
    digits,
  ],
  ['inet', '10.0.0.1/24', '::ffff:1.2.3.4', 'fe80::1'],
  ['cidr', '10.0.0.0/8', '2001:db8::/32'],
  ['macaddr', '08:00:2b:01:02:03'],
  ['macaddr8', '08:00:2b:01:02:03:04:05'],
  ['oid', '4294967295'],
  ['pg_lsn', 'FFFFFFFF/FFFFFFFF'],
  ['xid8', '18446744073709551615'],
  ['int4range', 'empty', '[1,10)', '(,)'],
  ['int8range', '[9007199254740993,9223372036854775806]'],
  ['numrange', '[1.50,2.00)', '(,0.0]'],
  ['daterange', '[2024-01-01,infinity)'],
  ['tsrange', '["2024-01-01 00:00:00.1",)'],
  ['tstzrange', '["2024-01-01 00:00:00+02",)'],
  ['int4multirange', '{}', '{[1,3),[5,7)}'],
  ['int8multirange', '{[1,3),[9007199254740993,)}'],
  ['nummultirange', '{[1.50,2.00]}'],
  ['datemultirange', '{[2024-01-01,2024-02-01)}'],
  ['tsmultirange', '{["2024-01-01 00:00:00.1","2024-01-02 00:00:00")}'],
  ['tstzmultirange', '{["2024-01-01 00:00:00+00",)}'],
  ['boolean[]', '{t,f,NULL}'],
  ['bigint[]', '{9223372036854775807,NULL,-1}', '{}', '[2:3]={1,2}'],
  ['integer[]', '{{1,2},{3,NULL}}'],
  ['real[]', '{-0,1.5,NaN}'],
  ['double precision[]', '{-0,0,-0.5,1e300,Infinity,NULL}', '{{-0},{1}}', '{}'],
  ['numeric[]', `{1.50,NULL,9007199254740993.0,${digits}}`],
  ['text[]', '{"a,b","\\"q\\"",NULL,"NULL","","two\nlines","-0"}'],
  ['bytea[]', '{"\\\\x00ff"}'],
  ['timestamptz[]', '{"2024-01-01 00:00:00.5+00",infinity}'],
  ['jsonb[]', '{"{\\"a\\": 1.50, \\"10\\": 1, \\"9\\": 2}"}'],
  ['uuid[]', '{49ee9dde-e31d-4d7c-9eae-fb28527794f6}'],
  ['numrange[]', '{"[1.50,2.00)"}'],
  ['mood', 'so "so"', "it's, \\ bad", 'fine'],
  ['mood[]', '{fine,"so \\"so\\""}'],
  ['amount', '12345678901234567890.1234567890', '0'],
  ['share', '-0', '0.1', 'NaN'],
  ['pair', '(-0,700.00,"say ""-0"", [-0]")', '(1e20,,)', '(0,0.00,)'],
  ['pair[]', '{"(-0,1.50,x)","(,,)"}'],
  ['nested', '("(-0,1.10,a)","2024-01-01 00:00:00+00","{-0,1}")'],
];

const ordered: readonly (readonly [type: string, ...values: (string | null)[]])[] = [
  ['money', '1.50', '-92233720368547758.08', '92233720368547758.07'],
  ['bit(4)', '1010'],
  ['bit varying', '', '10101010101'],
  ['tsvector', "'a ''quoted''':1A 'b':2", ''],
  ['tsquery', "'a' & !'b ''c'''", ''],
  ['money[]', '{1.50,-2}'],
];

const uncompared: readonly (readonly [type: string, ...values: (string | null)[]])[] = [
  ['json', '{"b": 1e5, "10":1,"9" : -0,"a":2}', '{"a":\n[1.50,  2]}', '"plain"', '-0', 'null'],
  ['xml', '<a b="1">x &amp; ü</a>', '<a>\n</a>'],
  ['point', '(-0,1.5)', '(1e300,NaN)'],
  ['line', '{1,-1,0}'],
  ['lseg', '[(0,0),(1,1.1)]'],
  ['box', '(1,1),(0,0)'],
  ['path', '((0,0),(1,1))', '[(0,0),(1,1)]'],
  ['polygon', '((0,0),(1,1),(1,0))'],
  ['circle', '<(0,0),1.5>'],
  ['jsonpath', '$."a"[*]?(@ > 1.50)'],
  ['pg_snapshot', '10:20:10,14'],
  ['point[]', '{"(1,2)","(-0,0)"}'],
];

const cases = (list: typeof hashed, compared: TypeCase['compared']): TypeCase[] =>
  list.map(([type, ...values]) => ({ type, values, compared }));

export const types: readonly TypeCase[] = [
  ...cases(hashed, 'by hash'),
  ...cases(ordered, 'by order'),
  ...cases(uncompared, 'not'),
];

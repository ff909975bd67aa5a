import type { Rule } from '../rule.ts';
import { argumentsOf, calledName, constantText, inner, texts } from '../tree.ts';
import type { Tree } from '../tree.ts';

/** The patterns of PostgreSQL's to_char, the longest first (formatting.c). */
const PATTERN =
  /"(?:[^"\\]|\\.)*"?|FM|TH(?!M)|th|SP|Y,YYY|SSSSS|SSSS|HH24|HH12|IYYY|YYYY|MONTH|TZH|TZM|IDDD|A\.M\.|P\.M\.|A\.D\.|B\.C\.|DDD|DAY|MON|IYY|YYY|FF[1-6]|HH|MI|SS|MS|US|AM|PM|AD|BC|IY|YY|MM|DY|DD|ID|IW|WW|CC|RM|TZ|OF|FX|TM|Y|I|W|D|J|Q|[a-z]+/gi;

/** Those that both engines write alike; month names only as Mon. */
const agreed: ReadonlySet<string> = new Set(
  'HH24 hh24 HH12 hh12 HH hh AM PM am pm MI mi SS ss YYYY yyyy YY yy IYYY iyyy IY iy MM mm Mon DD dd US us MS ms'.split(
    ' ',
  ),
);

export const textRules: readonly Rule[] = [
  ...(['lower', 'upper', 'initcap'] as const).map((name): Rule => ({
    effect: 'some',
    what:
      name === 'initcap'
        ? 'initcap() begins a word behind blanks only, and leaves letters beyond ASCII as they are'
        : `${name}() leaves letters beyond ASCII as they are`,
    remedy: 'Where such letters come, make the value when the record is ingested.',
    example: name === 'initcap' ? "select initcap('a,b') as w" : `select ${name}(s) as l from t`,
    answers:
      name === 'initcap'
        ? ['A,B', 'A,b']
        : name === 'lower'
          ? ["'äéß' of 'ÄÉß'", "'ÄÉß'"]
          : ["'ÄÉ' of 'äé'", "'äé'"],
    on: ['FuncCall'],
    find: ({ node }) => {
      if (calledName(node) !== name) return false;
      const text = constantText(argumentsOf(node)[0]);
      return text === undefined || /[^\0-\x7f]/.test(text) || (name === 'initcap' && /[^\w\s]/.test(text));
    },
  })),
  {
    effect: 'some',
    what: '_ in LIKE stands for one byte, and not for one letter',
    remedy: "Write a regular expression: x ~ '^a.c$'.",
    example: "select s like '_' as l from t",
    answers: ["true for 'ä'", 'false'],
    on: ['A_Expr'],
    find: ({ node }) => {
      if (!/^AEXPR_I?LIKE$/.test(String(node['kind']))) return false;
      const pattern = patternOf(node);
      return pattern === undefined || hasUnderscore(pattern.text, pattern.escape);
    },
    rewrite: ({ node, text, wrapped }) => {
      const pattern = patternOf(node);
      const ranges = text.rangesOf([wrapped, node['lexpr']]);
      if (pattern === undefined || ranges === undefined || pattern.escape.length > 1) return undefined;
      const regex = regexOf(pattern.text, pattern.escape, node['kind'] === 'AEXPR_ILIKE');
      const operator = texts(node['name']).join().startsWith('!') ? '!~' : '~';
      return [
        { range: ranges[0]!, parts: ['((', ranges[1]!, `) ${operator} '${regex.replaceAll("'", "''")}')`] },
      ];
    },
  },
  {
    effect: 'value',
    what: 'patterns of to_char() that it does not know, or writes otherwise',
    remedy:
      'YYYY, IYYY, MM, Mon, DD, HH24, HH12, MI, SS, MS, US and AM agree; take the rest by extract(), for instance extract(quarter from t)::text.',
    example: 'select to_char(u, \'Day, "T"Q IW\') as d from t',
    answers: ['Wednesday, T1 05', 'Day, "T"Q IW'],
    on: ['FuncCall'],
    find: ({ node, typeOf }) => {
      const [value, format] = argumentsOf(node);
      if (
        calledName(node) !== 'to_char' ||
        ['integer', 'numeric', 'float', 'interval'].includes(typeOf(value) ?? '')
      )
        return false;
      const pattern = constantText(format);
      if (pattern === undefined)
        return { what: 'a pattern of to_char() that is no constant: some patterns are written otherwise' };
      if (!/[A-Z]/i.test(pattern)) return false;
      const unknown = (pattern.match(PATTERN) ?? []).filter((part) => !agreed.has(part));
      return (
        unknown.length > 0 && {
          what: `to_char() with ${[...new Set(unknown)].map((part) => JSON.stringify(part)).join(', ')}, which it does not know or writes otherwise`,
        }
      );
    },
  },
];

interface Pattern {
  readonly text: string;
  /** Empty: none. */
  readonly escape: string;
}

/** The constant pattern of LIKE; undefined for one that is no constant. */
function patternOf(node: Tree): Pattern | undefined {
  const escaped = inner(node['rexpr'], 'FuncCall');
  if (escaped !== undefined && calledName(escaped) === 'like_escape') {
    const [text, escape] = argumentsOf(escaped).map(constantText);
    return text === undefined || escape === undefined ? undefined : { text, escape };
  }
  const text = constantText(node['rexpr']);
  return text === undefined ? undefined : { text, escape: '\\' };
}

function parts({ text, escape }: Pattern): { readonly letter: string; readonly escaped: boolean }[] {
  const found: { letter: string; escaped: boolean }[] = [];
  const letters = [...text];
  for (let i = 0; i < letters.length; i++) {
    const escaped = escape !== '' && letters[i] === escape && i + 1 < letters.length;
    if (escaped) i++;
    found.push({ letter: letters[i]!, escaped });
  }
  return found;
}

function hasUnderscore(text: string, escape: string): boolean {
  return parts({ text, escape }).some(({ letter, escaped }) => letter === '_' && !escaped);
}

/** A regular expression of the engine (Rust's), which goes by letters. */
function regexOf(text: string, escape: string, ignoreCase: boolean): string {
  const body = parts({ text, escape }).map(({ letter, escaped }) => {
    if (letter === '_' && !escaped) return '.';
    if (letter === '%' && !escaped) return '.*';
    return /[\\^$.|?*+()[\]{}]/.test(letter) ? `\\${letter}` : letter;
  });
  return `(?s${ignoreCase ? 'i' : ''})^${body.join('')}$`;
}

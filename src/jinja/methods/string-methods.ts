import { str } from '../print.ts';
import { iterate } from '../iterate.ts';
import { formatFields } from '../python/format-method.ts';
import type { Value } from '../template-engine.ts';
import { characters, lengthOf, pointIndex, splitLines, WHITESPACE } from '../text.ts';
import { typeName } from '../types.ts';
import { Fault, PyTuple } from '../values.ts';
import { expectInt, expectString, method } from './method.ts';
import type { Method } from './method.ts';

const LEADING = new RegExp(`^${WHITESPACE}+`);
const FIRST_WORD = new RegExp(`^(?:(?!${WHITESPACE})[^])+`);
const LAST_WORD = new RegExp(`(?:(?!${WHITESPACE})[^])+$`);
const TRAILING = new RegExp(`${WHITESPACE}+$`);

/** `str.strip`, `lstrip` and `rstrip`: whitespace, or any of the given characters. */
export function strip(text: string, chars: Value, sides: 'both' | 'left' | 'right'): string {
  if (chars === null || chars === undefined) {
    const left = sides === 'right' ? text : text.replace(LEADING, '');
    return sides === 'left' ? left : left.replace(TRAILING, '');
  }
  const set = new Set(characters(expectString(chars, 'strip argument')));
  const all = characters(text);
  let from = 0;
  let to = all.length;
  if (sides !== 'right') while (from < to && set.has(all[from]!)) from++;
  if (sides !== 'left') while (to > from && set.has(all[to - 1]!)) to--;
  return all.slice(from, to).join('');
}

function splitAtSpaces(text: string, limit: number, fromRight: boolean): string[] {
  const word = fromRight ? LAST_WORD : FIRST_WORD;
  const parts: string[] = [];
  let rest = strip(text, null, fromRight ? 'right' : 'left');
  while (rest !== '' && (limit < 0 || parts.length < limit)) {
    const [found] = word.exec(rest)!;
    parts.push(found);
    rest = fromRight ? rest.slice(0, -found.length) : rest.slice(found.length);
    rest = strip(rest, null, fromRight ? 'right' : 'left');
  }
  if (rest !== '') parts.push(rest);
  return fromRight ? parts.reverse() : parts;
}

function split(text: string, separator: Value, most: Value, fromRight: boolean): string[] {
  const limit = expectInt(most, 'maxsplit');
  if (separator === null) return splitAtSpaces(text, limit, fromRight);
  const by = expectString(separator, 'separator');
  if (by === '') throw new Fault('SEG216', 'empty separator');
  const parts: string[] = [];
  let rest = text;
  while (limit < 0 || parts.length < limit) {
    const at = fromRight ? rest.lastIndexOf(by) : rest.indexOf(by);
    if (at === -1) break;
    parts.push(fromRight ? rest.slice(at + by.length) : rest.slice(0, at));
    rest = fromRight ? rest.slice(0, at) : rest.slice(at + by.length);
  }
  parts.push(rest);
  return fromRight ? parts.reverse() : parts;
}

/** `str.replace`, with Python's meaning of an empty `old`. */
export function replaceText(text: string, old: string, by: string, count: number): string {
  if (count < 0) return text.replaceAll(old, () => by);
  let out = '';
  let from = 0;
  for (let done = 0; done < count; done++) {
    const at = text.indexOf(old, old === '' && done > 0 ? from + 1 : from);
    if (at === -1 || (old === '' && done > 0 && from >= text.length)) break;
    out += text.slice(from, at) + by;
    from = at + old.length;
  }
  return out + text.slice(from);
}

export function titleCase(text: string): string {
  return text.replace(/\p{L}+/gu, (word) => {
    const [first = '', ...rest] = Array.from(word);
    return first.toUpperCase() + rest.join('').toLowerCase();
  });
}

export function capitalize(text: string): string {
  const [first = '', ...rest] = Array.from(text);
  return first.toUpperCase() + rest.join('').toLowerCase();
}

function pad(text: string, width: number, fill: string, align: 'left' | 'right' | 'center'): string {
  const missing = Math.max(0, width - lengthOf(text));
  if (missing === 0) return text;
  if (align === 'left') return text + fill.repeat(missing);
  if (align === 'right') return fill.repeat(missing) + text;
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

/** The part `start:end` names, and where it begins, both in code points. */
function window(text: string, start: Value, end: Value): { text: string; from: number } | undefined {
  const all = characters(text);
  const clamp = (value: Value, otherwise: number) => {
    const index = value === null ? otherwise : expectInt(value, 'index');
    return Math.max(0, index < 0 ? index + all.length : index);
  };
  const from = clamp(start, 0);
  const to = Math.min(clamp(end, all.length), all.length);
  return from > all.length || from > to ? undefined : { text: all.slice(from, to).join(''), from };
}

function find(text: string, [what, start, end]: readonly Value[], last: boolean): number {
  const part = window(text, start, end);
  const wanted = expectString(what, 'argument');
  if (part === undefined) return -1;
  const at = last ? part.text.lastIndexOf(wanted) : part.text.indexOf(wanted);
  return at === -1 ? -1 : pointIndex(part.text, at) + part.from;
}

function has(text: string, [what, start, end]: readonly Value[], side: 'startsWith' | 'endsWith'): boolean {
  const part = window(text, start, end);
  const options = what instanceof PyTuple ? what.items : [what];
  return part !== undefined && options.some((option) => part.text[side](expectString(option, 'argument')));
}

function found(index: number): number {
  if (index === -1) throw new Fault('SEG216', 'substring not found');
  return index;
}

function every(pattern: RegExp): Method<string> {
  return method('', (self) => pattern.test(self));
}

function cased(self: string, same: (text: string) => string, other: (text: string) => string): boolean {
  return self === same(self) && self !== other(self);
}

function partition(self: string, separator: Value, last: boolean): PyTuple {
  const by = expectString(separator, 'separator');
  const at = last ? self.lastIndexOf(by) : self.indexOf(by);
  if (at === -1) return new PyTuple(last ? ['', '', self] : [self, '', '']);
  return new PyTuple([self.slice(0, at), by, self.slice(at + by.length)]);
}

const upper = (text: string) => text.toUpperCase();
const lower = (text: string) => text.toLowerCase();
const padding = (align: 'left' | 'right' | 'center') =>
  method<string>("width fillchar='\\s'", (self, [width, fill]) =>
    pad(self, expectInt(width, 'width'), expectString(fill, 'fillchar'), align),
  );

export const stringMethods: Readonly<Record<string, Method<string>>> = {
  capitalize: method('', capitalize),
  casefold: method('', (self) => self.toLowerCase().replaceAll('ß', 'ss')),
  center: padding('center'),
  count: method('sub start=None end=None', (self, [sub, start, end]) => {
    const part = window(self, start, end);
    const wanted = expectString(sub, 'argument');
    if (part === undefined) return 0;
    return wanted === '' ? lengthOf(part.text) + 1 : part.text.split(wanted).length - 1;
  }),
  endswith: method('suffix start=None end=None', (self, values) => has(self, values, 'endsWith')),
  expandtabs: method('tabsize=8', (self, [size]) => {
    const width = expectInt(size, 'tabsize');
    let column = 0;
    return characters(self)
      .map((character) => {
        const text = character === '\t' ? ' '.repeat(width > 0 ? width - (column % width) : 0) : character;
        column = character === '\n' || character === '\r' ? 0 : column + text.length;
        return text;
      })
      .join('');
  }),
  find: method('sub start=None end=None', (self, values) => find(self, values, false)),
  format: method('*args **kwargs', (self, _values, { varargs, kwargs }) =>
    formatFields(self, varargs, kwargs),
  ),
  format_map: method('mapping', (self, [mapping]) => {
    if (!(mapping instanceof Map)) throw new Fault('SEG215', 'format_map() needs a dict');
    return formatFields(self, [], mapping as Map<string, Value>);
  }),
  index: method('sub start=None end=None', (self, values) => found(find(self, values, false))),
  isalnum: every(/^[\p{L}\p{N}]+$/u),
  isalpha: every(/^\p{L}+$/u),
  isascii: every(/^[\0-\x7f]*$/),
  isdecimal: every(/^\p{Nd}+$/u),
  isdigit: every(/^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u),
  isidentifier: every(/^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u),
  islower: method('', (self) => cased(self, lower, upper)),
  isnumeric: every(/^\p{N}+$/u),
  isprintable: method('', (self) => !/[^\P{C}]|[^\P{Z} ]/u.test(self)),
  isspace: every(new RegExp(`^${WHITESPACE}+$`)),
  istitle: method('', (self) => /\p{L}/u.test(self) && self === titleCase(self)),
  isupper: method('', (self) => cased(self, upper, lower)),
  join: method('iterable', (self, [items]) => {
    const texts = Array.from(iterate(items), (item, index) => {
      if (typeof item === 'string') return item;
      const message = `sequence item ${index}: expected str instance, ${typeName(item)} found`;
      throw new Fault('SEG215', message, 'The filter join takes any values: items | join(",").');
    });
    return texts.join(self);
  }),
  ljust: padding('left'),
  lower: method('', lower),
  lstrip: method('chars=None', (self, [chars]) => strip(self, chars, 'left')),
  partition: method('sep', (self, [separator]) => partition(self, separator, false)),
  removeprefix: method('prefix', (self, [prefix]) => {
    const text = expectString(prefix, 'prefix');
    return self.startsWith(text) ? self.slice(text.length) : self;
  }),
  removesuffix: method('suffix', (self, [suffix]) => {
    const text = expectString(suffix, 'suffix');
    return text !== '' && self.endsWith(text) ? self.slice(0, -text.length) : self;
  }),
  replace: method('old new count=-1', (self, [old, by, count]) =>
    replaceText(
      self,
      expectString(old, 'replace() argument 1'),
      expectString(by, 'replace() argument 2'),
      expectInt(count, 'count'),
    ),
  ),
  rfind: method('sub start=None end=None', (self, values) => find(self, values, true)),
  rindex: method('sub start=None end=None', (self, values) => found(find(self, values, true))),
  rjust: padding('right'),
  rpartition: method('sep', (self, [separator]) => partition(self, separator, true)),
  rsplit: method('sep=None maxsplit=-1', (self, [separator, most]) => split(self, separator, most, true)),
  rstrip: method('chars=None', (self, [chars]) => strip(self, chars, 'right')),
  split: method('sep=None maxsplit=-1', (self, [separator, most]) => split(self, separator, most, false)),
  splitlines: method('keepends=False', (self, [keep]) => splitLines(self, keep === true)),
  startswith: method('prefix start=None end=None', (self, values) => has(self, values, 'startsWith')),
  strip: method('chars=None', (self, [chars]) => strip(self, chars, 'both')),
  swapcase: method('', (self) =>
    characters(self)
      .map((character) => (character === upper(character) ? lower(character) : upper(character)))
      .join(''),
  ),
  title: method('', titleCase),
  translate: method('table', (self, [table]) => {
    if (!(table instanceof Map)) throw new Fault('SEG215', 'translate() needs a dict');
    return characters(self)
      .map((character) => {
        const by: Value = table.get(character.codePointAt(0));
        if (by === undefined) return character;
        return by === null ? '' : typeof by === 'number' ? String.fromCodePoint(by) : str(by);
      })
      .join('');
  }),
  upper: method('', upper),
  zfill: method('width', (self, [width]) => {
    const sign = /^[+-]/.exec(self)?.[0] ?? '';
    return sign + pad(self.slice(sign.length), expectInt(width, 'width') - sign.length, '0', 'right');
  }),
};

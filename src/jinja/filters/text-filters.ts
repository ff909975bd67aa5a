/** Jinja's filters that make text of text. */
import { tryIterate } from '../iterate.ts';
import { expectInt } from '../methods/method.ts';
import { capitalize, replaceText, stringMethods, strip } from '../methods/string-methods.ts';
import { repr, str } from '../print.ts';
import { percentFormat } from '../python/percent-format.ts';
import { prettyPrint } from '../python/pretty-print.ts';
import { wrapText } from '../python/text-wrap.ts';
import type { Value } from '../template-engine.ts';
import { characters, lengthOf, splitLines } from '../text.ts';
import { Fault, PyIterator, PyTuple } from '../values.ts';
import { filter } from './filter.ts';
import type { FilterTable } from './filter.ts';

function indent(text: string, width: Value, first: boolean, blank: boolean): string {
  const space = typeof width === 'string' ? width : ' '.repeat(Math.max(0, expectInt(width, 'width')));
  const all = splitLines(`${text}\n`);
  const indented = blank
    ? all.join(`\n${space}`)
    : all.map((line, index) => (index > 0 && line !== '' ? space + line : line)).join('\n');
  return first ? space + indented : indented;
}

function truncate(text: string, length: number, kill: boolean, end: string, leeway: number): string {
  if (length < lengthOf(end))
    throw new Fault('SEG213', `filter "truncate" needs a length of at least ${lengthOf(end)}`);
  const all = characters(text);
  if (all.length <= length + leeway) return text;
  const cut = all.slice(0, length - lengthOf(end)).join('');
  if (kill) return cut + end;
  const space = cut.lastIndexOf(' ');
  return (space === -1 ? cut : cut.slice(0, space)) + end;
}

export const textFilters: FilterTable = {
  capitalize: filter('', (value) => capitalize(str(value))),
  center: filter('width=80', (value, [width]) => {
    const center = stringMethods['center']!;
    return center.run(str(value), [width, ' '], { values: [], varargs: [], kwargs: new Map() });
  }),
  format: filter('*args **kwargs', (value, _args, _runtime, { varargs, kwargs }) => {
    if (varargs.length > 0 && kwargs.size > 0) {
      throw new Fault('SEG213', 'filter "format" takes positional or keyword arguments, not both');
    }
    return percentFormat(str(value), kwargs.size > 0 ? new Map(kwargs) : new PyTuple(varargs));
  }),
  indent: filter('width=4 first=False blank=False', (value, [width, first, blank]) =>
    indent(str(value), width, first === true, blank === true),
  ),
  lower: filter('', (value) => str(value).toLowerCase()),
  pprint: filter('', (value) => prettyPrint(value)),
  replace: filter('old new count=None', (value, [old, by, count]) =>
    replaceText(str(value), str(old), str(by), count === null ? -1 : expectInt(count, 'count')),
  ),
  reverse: filter('', (value) => {
    if (typeof value === 'string') return characters(value).reverse().join('');
    const items = tryIterate(value);
    if (items === undefined)
      throw new Fault('SEG215', `filter "reverse" needs a sequence, not ${repr(value)}`);
    return new PyIterator('reversed', Array.from(items).reverse());
  }),
  string: filter('', (value) => str(value)),
  title: filter('', (value) =>
    str(value)
      .split(/([-\s({[<]+)/u)
      .map(capitalize)
      .join(''),
  ),
  trim: filter('chars=None', (value, [chars]) => strip(str(value), chars, 'both')),
  truncate: filter("length=255 killwords=False end='...' leeway=None", (value, [length, kill, end, leeway]) =>
    truncate(
      str(value),
      expectInt(length, 'length'),
      kill === true,
      str(end),
      leeway === null ? 5 : expectInt(leeway, 'leeway'),
    ),
  ),
  upper: filter('', (value) => str(value).toUpperCase()),
  wordcount: filter('', (value) => str(value).match(/[\p{L}\p{N}_\p{M}]+/gu)?.length ?? 0),
  wordwrap: filter(
    'width=79 break_long_words=True wrapstring=None break_on_hyphens=True',
    (value, [width, breakLong, joiner, breakHyphens]) => {
      const by = joiner === null ? '\n' : str(joiner);
      const options = {
        width: expectInt(width, 'width'),
        breakLong: breakLong === true,
        breakHyphens: breakHyphens === true,
      };
      return splitLines(str(value))
        .map((line) => wrapText(line, options).join(by))
        .join(by);
    },
  ),
};

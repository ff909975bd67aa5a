import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, Pair, ParsedNode, Range } from 'yaml';
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { locationAt } from '../diagnostics/source-map.ts';
import { canonicalNumber } from '../json/json-number.ts';
import { entriesOf, objectOf } from '../json/member-order.ts';
import { jsonTags, pyyamlTags } from './yaml-tags.ts';

export type YamlPath = readonly (string | number)[];

/** A YAML (or JSON) file as a value that remembers where each of its parts stands. */
export interface YamlFile {
  readonly file: string;
  readonly text: string;
  /** `{}` for an empty file. Keys are always strings, spelt as in the file (`on`, `2021`). */
  readonly value: JsonValue;
  /** Where `path` stands; the nearest enclosing part that exists when it does not. `key` = its key, not its value. */
  at(this: void, path: YamlPath, part?: 'key' | 'value'): Location;
}

/**
 * YAML 1.1 as PyYAML reads it, because dbt does: `yes`/`no`/`on`/`off` are booleans (but `y` and `n` are not), `017` is octal,
 * merge keys work. Unlike PyYAML: timestamps stay text (SQL reads them better than a Date does) and integers beyond
 * 2^53 stay text too, so that no digit is lost. Duplicate keys are errors.
 */
export function parseYaml(file: string, text: string): { yaml: YamlFile; errors: Diagnostic[] } {
  const document = parseDocument(text, {
    version: '1.1',
    prettyErrors: false,
    customTags: file.endsWith('.json') ? jsonTags : pyyamlTags,
  });
  const errors = document.errors.map((error): Diagnostic => {
    const known = explained[error.code];
    return {
      severity: 'error',
      code: 'SEG101',
      message: `invalid YAML: ${known?.message ?? lowerFirst(error.message)}`,
      at: locationAt(file, text, error.pos[0], Math.max(1, error.pos[1] - error.pos[0])),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
    };
  });
  const reader = new Reader(file, text, document);
  const value = errors.length > 0 || document.contents === null ? {} : reader.read(document.contents);
  errors.push(...reader.errors);
  return {
    yaml: { file, text, value: value ?? {}, at: (path, part = 'value') => reader.at(path, part) },
    errors,
  };
}

const explained: Partial<Record<string, { message: string; hint: string }>> = {
  DUPLICATE_KEY: { message: 'the key stands twice in the same mapping', hint: 'Keep one of the two.' },
  TAB_AS_INDENT: { message: 'a tab as indentation', hint: 'Indent with spaces.' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a mapping inside of a value',
    hint: 'Put the value in quotes if it holds ": ", or move the inner mapping to lines of its own.',
  },
  MULTIPLE_DOCS: { message: 'more than one document', hint: 'Remove the "---" line or split the file.' },
  MULTILINE_IMPLICIT_KEY: {
    message: 'a key without ":", or lines that are not aligned',
    hint: 'Check the indentation here and in the line above.',
  },
  BAD_INDENT: {
    message: 'wrong indentation, or an unclosed bracket',
    hint: 'Check the lines before this one.',
  },
};

/** Walks the document tree: the library's own toJS would lose key spellings and the place of a broken alias. */
class Reader {
  readonly errors: Diagnostic[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #open = new Set<Node>();

  constructor(file: string, text: string, document: Document.Parsed) {
    this.#file = file;
    this.#text = text;
    this.#document = document;
  }

  read(node: Node | null): JsonValue {
    if (node === null) return null;
    if (isScalar(node)) return this.#scalar(node.value, node.source);
    const target = this.#target(node);
    if (target === undefined || this.#open.has(target)) {
      this.#error(
        'SEG102',
        'unknown anchor, or an anchor inside of itself',
        node,
        'Define it above with "&name".',
      );
      return null;
    }
    this.#open.add(target);
    let value: JsonValue = null;
    if (isScalar(target)) value = this.#scalar(target.value, target.source);
    else if (isSeq(target)) value = target.items.map((item) => this.read(item as Node | null));
    else if (isMap(target)) value = this.#map(target.items as Pair<Node, Node | null>[]);
    this.#open.delete(target);
    return value;
  }

  #map(items: Pair<Node, Node | null>[]): JsonValue {
    const merged = new Map<string, JsonValue>();
    const own = new Map<string, JsonValue>();
    for (const { key, value } of items) {
      if (isMap(key) || isSeq(key)) {
        const start = rangeOf(key)?.[0] ?? 0;
        const template = this.#text.startsWith('{', start) && this.#text[start - 1] === '{';
        this.#error(
          'SEG103',
          template ? 'a template without quotes' : 'a key that is a list or mapping',
          key,
          template ? 'Put quotes around the whole value: "{{ ... }}".' : 'Use text as key.',
        );
        continue;
      }
      const name = keyOf(key);
      if (name === '<<') {
        const sources = this.read(value);
        // PyYAML: of several merged mappings the first that has a key wins.
        for (const source of [sources].flat().reverse()) {
          if (source === null || typeof source !== 'object') continue;
          for (const [key, item] of entriesOf(source as { [key: string]: JsonValue })) merged.set(key, item);
        }
      } else own.set(name, this.read(value));
    }
    return objectOf([...new Map([...merged, ...own])]);
  }

  #scalar(value: unknown, source: string | undefined): JsonValue {
    if (typeof value === 'number' && source !== undefined && losesDigits(value, source)) return source;
    if (typeof value === 'bigint') return value.toString();
    return value as JsonValue;
  }

  #target(node: Node): Node | undefined {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #error(code: string, message: string, node: Node, hint: string): void {
    this.errors.push({
      severity: 'error',
      code,
      message: `invalid YAML: ${message}`,
      at: this.#place(node),
      hint,
    });
  }

  #place(node: Node | undefined | null): Location {
    const range = rangeOf(node ?? this.#document.contents);
    if (!range) return { file: this.#file, line: 1, column: 1, length: 1 };
    return locationAt(this.#file, this.#text, range[0], Math.max(1, range[1] - range[0]));
  }

  at(path: YamlPath, part: 'key' | 'value'): Location {
    let node: Node | null | undefined = this.#document.contents;
    let place: Node | null | undefined = node;
    for (const [index, step] of path.entries()) {
      const target: Node | undefined = node == null ? undefined : this.#target(node);
      if (isMap(target)) {
        const pair = findPair(target.items as Pair<Node, Node | null>[], String(step), (found) =>
          this.#target(found),
        );
        if (pair === undefined) break;
        node = pair.value;
        const isLast = index === path.length - 1;
        place = (isLast && part === 'key') || isAbsent(node) ? pair.key : node;
      } else if (isSeq(target) && typeof step === 'number' && step < target.items.length) {
        node = target.items[step] as Node | null;
        place = node ?? place;
      } else break;
    }
    return this.#place(place);
  }
}

function findPair(
  items: Pair<Node, Node | null>[],
  name: string,
  resolve: (node: Node) => Node | undefined,
): Pair<Node, Node | null> | undefined {
  const own = items.find(({ key }) => keyOf(key) === name);
  if (own !== undefined) return own;
  for (const { key, value } of items) {
    if (keyOf(key) !== '<<' || value === null) continue;
    const merged = resolve(value);
    const sources = isSeq(merged) ? merged.items.map((item) => resolve(item as Node)) : [merged];
    for (const source of sources) {
      const found = isMap(source)
        ? findPair(source.items as Pair<Node, Node | null>[], name, resolve)
        : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The key as spelt: YAML 1.1 would make `true` of the key `on`. */
function keyOf(key: unknown): string {
  if (!isScalar(key)) return '';
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

/** Whether a number was written with more digits than JavaScript's numbers have; it stays the text it was. */
function losesDigits(value: number, source: string): boolean {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return true;
  const written = source.replaceAll('_', '').replace(/^\+/, '');
  return DECIMAL.test(written) && canonicalNumber(written) !== canonicalNumber(String(value));
}

const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** `key:` with nothing behind it. */
function isAbsent(node: Node | null): boolean {
  const range = rangeOf(node);
  return range === undefined || range[0] === range[1];
}

function rangeOf(node: Node | ParsedNode | null | undefined): Range | undefined {
  return node?.range ?? undefined;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/**
 * Jinja's filters for HTML and URLs. Their results are plain text: there is no Markup type, because SQL templates are
 * rendered without autoescape.
 */
import { iterate } from '../iterate.ts';
import { str } from '../print.ts';
import type { Value } from '../template-engine.ts';
import { linkUrls } from '../python/urlize.ts';
import { filter } from './filter.ts';
import type { FilterTable } from './filter.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>'"]/g, (character) => ENTITIES[character]!);
}

function unescapeHtml(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#[xX]([\da-fA-F]+)|([a-z]+));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name] ?? whole;
      return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal));
    },
  );
}

function quoteUrl(text: string, forQuery: boolean): string {
  const quoted = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return forQuery ? quoted.replaceAll('%20', '+').replaceAll('%2F', '%2F') : quoted.replaceAll('%2F', '/');
}

function urlencode(value: Value): string {
  if (typeof value === 'string') return quoteUrl(value, false);
  if (value instanceof Map) {
    const pairs = Array.from(value as Map<Value, Value>, (pair) =>
      pair.map((part) => quoteUrl(str(part), true)).join('='),
    );
    return pairs.join('&');
  }
  if (typeof value === 'object' && value !== null) {
    const pairs = Array.from(iterate(value), (pair) =>
      Array.from(iterate(pair), (part) => quoteUrl(str(part), true)).join('='),
    );
    return pairs.join('&');
  }
  return quoteUrl(str(value), false);
}

const escape = filter('', (value) => escapeHtml(str(value)));

export const htmlFilters: FilterTable = {
  escape,
  forceescape: escape,
  safe: filter('', (value) => str(value)),
  striptags: filter('', (value) => {
    const bare = str(value)
      .replace(/<!--[^]*?-->/g, '')
      .replace(/<[^]*?>/g, '');
    return unescapeHtml(
      bare
        .split(/\s+/)
        .filter((word) => word !== '')
        .join(' '),
    );
  }),
  urlencode: filter('', (value) => urlencode(value)),
  urlize: filter(
    'trim_url_limit=None nofollow=False target=None rel=None extra_schemes=None',
    (value, [limit, nofollow, target, rel, schemes]) => {
      const parts = new Set(rel === null ? [] : str(rel).split(/\s+/));
      if (nofollow === true) parts.add('nofollow');
      parts.add('noopener');
      return linkUrls(escapeHtml(str(value)), {
        limit: typeof limit === 'number' ? limit : undefined,
        target: target === null ? undefined : str(target),
        rel: [...parts]
          .filter((part) => part !== '')
          .sort()
          .join(' '),
        schemes: schemes === null ? [] : Array.from(iterate(schemes), str),
      });
    },
  ),
};

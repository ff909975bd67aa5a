/** Every filter of Jinja2 3.1, and the four that dbt adds, by name. */
import { toJsonText } from '../python/json.ts';
import { expectInt } from '../methods/method.ts';
import { NativeMarker } from '../native.ts';
import type { Value } from '../template-engine.ts';
import { filter } from './filter.ts';
import type { Filter, FilterTable } from './filter.ts';
import { htmlFilters } from './html-filters.ts';
import { listFilters } from './list-filters.ts';
import { numberFilters } from './number-filters.ts';
import { textFilters } from './text-filters.ts';

/** In text these do nothing; in a YAML value they decide its type. */
function native(kind: NativeMarker['kind']): Filter {
  return filter('', (value, _args, runtime): Value =>
    runtime.native ? new NativeMarker(kind, value) : value,
  );
}

const jsonFilters: FilterTable = {
  // Safe inside HTML: dbt's filter is Jinja's own, so quotes come out as \u0027 here too.
  tojson: filter('indent=None', (value, [indent]) =>
    toJsonText(value, { sortKeys: true, indent: indent === null ? undefined : expectInt(indent, 'indent') })
      .replaceAll('<', '\\u003c')
      .replaceAll('>', '\\u003e')
      .replaceAll('&', '\\u0026')
      .replaceAll("'", '\\u0027'),
  ),
};

const dbtFilters: FilterTable = {
  as_bool: native('bool'),
  as_native: native('native'),
  as_number: native('number'),
  as_text: native('text'),
};

const tables = [textFilters, listFilters, numberFilters, htmlFilters, jsonFilters, dbtFilters];

export const filters: ReadonlyMap<string, Filter> = new Map([
  ...tables.flatMap((table) => Object.entries(table)),
  ['count', listFilters['length']!],
  ['d', listFilters['default']!],
  ['e', htmlFilters['escape']!],
]);

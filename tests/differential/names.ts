/** Names that must be quoted, or look like something else: of SQL, of PostgreSQL, of seg. */
const odd = [
  'Tä b',
  'ta"ble',
  'Order',
  "it's",
  'group',
  'c"ol',
  'ünï',
  'a b',
  'C1',
  'c1',
  'select',
  'new',
  'old',
  'excluded',
  'user',
  'x.y',
  '$1',
  '%s',
  '%1$I',
  'back\\slash',
  '$body$',
  'seg_w',
  'seg_k0',
  'seg_sum_0',
  '_v',
  'row',
  'value',
  'l',
  'r',
  't',
  '日本',
  '🦭',
  'tab\there',
  'a--b',
  '/* c */',
  ';',
  '1st',
  ' ',
  'é',
  'e\u0301',
  'x'.repeat(60),
  'ü'.repeat(30),
  'ctid2',
  'key',
  'weight',
  'epoch',
  'found',
  'tableoid_',
] as const;

/** The n-th of names that differ from each other, beginning anywhere. */
export function oddName(start: number, n: number, all: boolean): string {
  const names = all ? odd : odd.slice(0, MERELY_QUOTED);
  const again = Math.floor(n / names.length);
  const suffix = again === 0 ? '' : String(again);
  return `${names[(start + n) % names.length]}${suffix}`;
}

/** So many of them look like nothing else. */
const MERELY_QUOTED = 10;

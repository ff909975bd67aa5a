export const MASK = '*****';
/** Shorter values stand in texts for other reasons. */
const SHORTEST = 4;

/**
 * A function that replaces secrets by `*****`. A secret that is an address is masked in its parts, too: whoever receives
 * a request sees its path and query, and may say them in an answer.
 * @param shortest secrets of fewer letters are left alone
 */
export function masker(secrets: Iterable<string>, shortest = SHORTEST): (text: string) => string {
  const whole = [...secrets].filter((secret) => secret.length >= shortest);
  const parts = whole.flatMap(addressParts).filter((part) => part.length >= SHORTEST);
  // The longest first: a secret that contains another must not leave its rest behind.
  const masked = [...new Set([...whole, ...parts])].sort((a, b) => b.length - a.length);
  return (text) => masked.reduce((scrubbed, part) => scrubbed.replaceAll(part, MASK), text);
}

/** Whether an address says something that only its owner should know: a password, or values in its query. */
export function holdsCredentials(text: string): boolean {
  const url = parse(text);
  return url !== undefined && (url.password !== '' || url.search.length > 1);
}

/** Password, and path with query, raw and decoded, of an address that holds credentials. */
function addressParts(text: string): string[] {
  const url = parse(text);
  if (url === undefined) return [];
  const query = [...url.searchParams.values()];
  const raw = url.search
    .slice(1)
    .split('&')
    .map((pair) => pair.slice(pair.indexOf('=') + 1));
  const path = url.search.length > 1 ? [`${url.pathname}${url.search}`, url.search] : [];
  return [...path, ...query, ...raw, url.password, decoded(url.password)];
}

function parse(text: string): URL | undefined {
  return text.includes('://') && URL.canParse(text) ? new URL(text) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Python's wildcards, which dbt's selectors use: `*`, `?`, `[abc]`, `[!abc]`; matched against the whole text. */

const cache = new Map<string, RegExp>();

/** Python's fnmatchcase. */
export function fnmatch(text: string, pattern: string): boolean {
  return regex(pattern, '.').test(text);
}

/**
 * pathlib's glob on one path: `*` stays within a folder, `**` is any number of folders. Both with forward slashes.
 */
export function globMatchesPath(path: string, pattern: string): boolean {
  return matchSegments(path.split('/'), pattern.split('/'));
}

function matchSegments(path: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === '**') {
    for (let skipped = 0; skipped <= path.length; skipped++) {
      if (matchSegments(path.slice(skipped), rest)) return true;
    }
    return false;
  }
  return path.length > 0 && regex(first, '[^/]').test(path[0]!) && matchSegments(path.slice(1), rest);
}

function regex(pattern: string, any: '.' | '[^/]'): RegExp {
  const key = `${any} ${pattern}`;
  let compiled = cache.get(key);
  if (compiled === undefined) {
    compiled = new RegExp(`^${translate(pattern, any)}$`, 's');
    cache.set(key, compiled);
  }
  return compiled;
}

function translate(pattern: string, any: string): string {
  let out = '';
  for (let i = 0; i < pattern.length; i++) {
    const letter = pattern[i]!;
    if (letter === '*') out += `${any}*`;
    else if (letter === '?') out += any;
    else if (letter === '[') {
      // A bracket directly behind the opening one belongs to the set; without a closing one it is a plain letter.
      const close = pattern.indexOf(']', i + (pattern[i + 1] === '!' ? 3 : 2));
      if (close === -1) out += '\\[';
      else {
        const set = pattern.slice(i + 1, close).replace(/[\\\]]/g, '\\$&');
        out += `[${set.startsWith('!') ? `^${set.slice(1)}` : set.replace(/^\^/, '\\^')}]`;
        i = close;
      }
    } else out += letter.replace(/[\\^$.|+(){}\]]/, '\\$&');
  }
  return out;
}

/** Python's `ast.literal_eval` for the values YAML configuration holds. */
import { float, int } from '../numbers.ts';
import type { Value } from '../template-engine.ts';
import { parseJson } from './json.ts';

/** The value a text spells, or the text itself when it spells none. */
export function parsePythonLiteral(text: string): Value {
  const trimmed = text.trim();
  if (trimmed === 'True' || trimmed === 'False') return trimmed === 'True';
  if (trimmed === 'None') return null;
  if (/^[+-]?(?:0|[1-9]\d*)$/.test(trimmed)) return int(BigInt(trimmed.replace('+', '')));
  if (/^[+-]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[+-]?\d+)?$/i.test(trimmed)) return float(Number(trimmed));
  const quoted = /^(?:'([^'\\]*)'|"([^"\\]*)")$/.exec(trimmed);
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? '';
  if (!/^[[{]/.test(trimmed)) return text;
  try {
    return parseJson(asJson(trimmed));
  } catch {
    return text;
  }
}

/** Python's spelling of lists and dicts → JSON's. */
function asJson(text: string): string {
  return text.replace(
    /'((?:[^'\\]|\\.)*)'|"(?:[^"\\]|\\.)*"|\b(True|False|None)\b/g,
    (whole, single?: string, word?: string) => {
      if (word !== undefined) return word === 'None' ? 'null' : word.toLowerCase();
      return single === undefined ? whole : JSON.stringify(single.replaceAll("\\'", "'"));
    },
  );
}

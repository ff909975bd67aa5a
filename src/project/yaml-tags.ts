/** Which plain scalars are numbers and booleans: PyYAML's patterns in the place of the library's. */
import type { ScalarTag, Tags } from 'yaml';

const boolean = (value: boolean, test: RegExp): ScalarTag => ({
  identify: (found) => found === value,
  default: true,
  tag: 'tag:yaml.org,2002:bool',
  test,
  resolve: () => value,
});

const integer = 'tag:yaml.org,2002:int';
const float = 'tag:yaml.org,2002:float';
const replaced = new Set(['tag:yaml.org,2002:timestamp', 'tag:yaml.org,2002:bool', float]);

const decimal = (tag: string, test: RegExp): ScalarTag => ({
  identify: (found) => typeof found === 'number',
  default: true,
  tag,
  test,
  resolve: (text) => Number(text.replaceAll('_', '')),
});

/** The library takes `e1` and `.` for numbers (NaN), and `08540` for 8540. These are PyYAML's own patterns. */
const decimals = [
  decimal(integer, /^[-+]?(?:0_*|[1-9][0-9_]*)$/),
  decimal(float, /^[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?$/),
  decimal(float, /^\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?$/),
];
/** In JSON a number may also be `1e5`, which to PyYAML is text. */
const jsonDecimal = decimal(float, /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?[eE][-+]?[0-9]+$/);

const special: ScalarTag = {
  identify: (found) => typeof found === 'number',
  default: true,
  tag: float,
  test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (text) => (/nan$/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity),
};

/** YAML 1.1's tags, scalars read as PyYAML reads them; timestamps stay text. */
export function pyyamlTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => {
    if (typeof tag === 'string') return tag !== 'timestamp';
    if (tag.tag === float && tag.format === 'TIME') return true;
    return !replaced.has(tag.tag) && !(tag.tag === integer && tag.format === undefined);
  });
  return [
    boolean(true, /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/),
    boolean(false, /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/),
    ...decimals,
    special,
    ...kept,
  ];
}

/** As `pyyamlTags`, for a JSON file. */
export const jsonTags = (tags: Tags): Tags => [jsonDecimal, ...pyyamlTags(tags)];

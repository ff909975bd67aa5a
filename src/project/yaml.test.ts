import { describe, expect, it } from 'vitest';
import { parseYaml } from './yaml.ts';

const read = (text: string) => parseYaml('x.yml', text);

describe('parseYaml', () => {
  it('reads values as PyYAML does, but keeps timestamps and big integers as text', () => {
    const { yaml, errors } = read(
      'a: yes\nb: off\ny: n\nc: 017\nd: 0x1f\ne: 2021-03-19T17:00:00Z\nf: 2021-03-19\ng: 9007199254740993\nh: 1.50\ni: ~\non: 1\n2021: x\n',
    );
    expect(errors).toEqual([]);
    expect(yaml.value).toEqual({
      a: true,
      b: false,
      y: 'n',
      c: 15,
      d: 31,
      e: '2021-03-19T17:00:00Z',
      f: '2021-03-19',
      g: '9007199254740993',
      h: 1.5,
      i: null,
      on: 1,
      '2021': 'x',
    });
  });

  // Each as `yaml.safe_load` of PyYAML 6 reads it.
  it.each<[string, unknown]>([
    ...['e1', 'E5', '.e3', '.', '._', '+.e3', '1e5', '1.5e3', '-.5', '1e'].map((text): [string, unknown] => [
      text,
      text,
    ]),
    ...['08', '08540', '0_9', '1:60'].map((text): [string, unknown] => [text, text]),
    ['1.0', 1],
    ['-1.5', -1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['1_000.5', 1000.5],
    ['1._5', 1.5],
    ['09.5', 9.5],
    ['1.e+3', 1000],
    ['1.5e+3', 1500],
    ['.5E-1', 0.05],
    ['190:20:30.15', 685230.15],
    ['1:30', 90],
    ['-1:30', -90],
    ['.inf', Infinity],
    ['-.INF', -Infinity],
    ['.NaN', NaN],
    ['0', 0],
    ['-12', -12],
    ['+1_000', 1000],
    ['017', 15],
    ['0x1F', 31],
    ['0b10', 2],
  ])('reads the plain scalar %s as PyYAML does', (text, value) => {
    expect(read(`a: ${text}`).yaml.value).toEqual({ a: value });
  });

  it('reads the numbers of JSON in a .json file', () => {
    const { yaml } = parseYaml('x.json', '{"a": 1e5, "b": -1.5E-3, "c": "1e5", "d": 0, "e": -12.5}');
    expect(yaml.value).toEqual({ a: 100000, b: -0.0015, c: '1e5', d: 0, e: -12.5 });
  });

  it('merges anchors, the mapping’s own keys last', () => {
    const { yaml } = read('base: &b {x: 1, y: 1}\nmore: &m {y: 2, z: 2}\nall:\n  z: 3\n  <<: [*b, *m]\n');
    expect((yaml.value as { all: unknown }).all).toEqual({ x: 1, y: 1, z: 3 });
    expect(yaml.at(['all', 'x'])).toMatchObject({ line: 1, column: 14 });
  });

  it('knows where keys and values stand, also those that are not there', () => {
    const { yaml } = read('a:\n  - b: one\n    c:\n');
    expect(yaml.at(['a', 0, 'b'])).toEqual({ file: 'x.yml', line: 2, column: 8, length: 3 });
    expect(yaml.at(['a', 0, 'b'], 'key')).toMatchObject({ line: 2, column: 5, length: 1 });
    expect(yaml.at(['a', 0, 'c'])).toMatchObject({ line: 3, column: 5 });
    expect(yaml.at(['a', 7, 'x'])).toMatchObject({ line: 2, column: 3 });
    expect(yaml.at([])).toMatchObject({ line: 1, column: 1 });
  });

  it('takes JSON with tabs, and empty files', () => {
    expect(read('{\n\t"a": [1,\n\t\t2]\n}').yaml.value).toEqual({ a: [1, 2] });
    expect(read('').yaml.value).toEqual({});
    expect(read('# only a comment\n').yaml.at([])).toMatchObject({ line: 1, column: 1 });
  });

  it('does not reach the prototype', () => {
    const { yaml } = read('__proto__: {polluted: true}\na: 1\n');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.keys(yaml.value as object)).toEqual(['__proto__', 'a']);
  });

  it('refuses an anchor inside of itself', () => {
    expect(read('a: &x [*x]').errors[0]).toMatchObject({ code: 'SEG102' });
  });
});

import { describe, expect, test } from 'vitest';
import { dbtContext } from './dbt-context.ts';
import { TemplateEnvironment } from './environment.ts';

function text(template: string, context = dbtContext()): string {
  return new TemplateEnvironment().render('m.sql', template, context).text;
}

describe("dbt's context that needs no project", () => {
  test.each([
    [
      '{{ fromjson(\'{"a": [1, 1.0, true, null, 12345678901234567890]}\') }}',
      "{'a': [1, 1.0, True, None, 12345678901234567890]}",
    ],
    ["{{ fromjson('{', 'bad') }}", 'bad'],
    ["{{ tojson({'b': 1, 'a': [1.0, none, \"it's\"]}) }}", '{"b": 1, "a": [1.0, null, "it\'s"]}'],
    ["{{ tojson({'b': 1, 'a': 2}, sort_keys=true) }}", '{"a": 2, "b": 1}'],
    ["{{ tojson(tojson, 'no') }}", 'no'],
    ["{{ fromyaml('a: [1, yes, x]\\nb: {c: 1.5}') }}", "{'a': [1, True, 'x'], 'b': {'c': 1.5}}"],
    ["{{ toyaml({'b': [1, 'x'], 'a': none}) }}", 'b:\n- 1\n- x\na: null\n'],
    ['{{ set([1, 2, 2]) }} {{ set(5, "no") }} {{ set_strict("aab")|sort }}', "{1, 2} no ['a', 'b']"],
    [
      "{{ zip([1, 2], 'ab')|list }} {{ zip(1, default=7) }} {{ zip_strict([1], [2])|list }}",
      "[(1, 'a'), (2, 'b')] 7 [(1, 2)]",
    ],
    ["{{ local_md5('hello') }}", '5d41402abc4b2a76b9719d911017c592'],
    ["{{ diff_of_two_dicts({'a': ['x', 'y']}, {'A': ['X']}) }}", "{'a': ['y']}"],
    [
      "{% set re = modules.re %}{{ re.match('a(b)', 'abc').group(1) }} {{ re.search('z', 'a') is none }} {{ re.sub('(?P<x>[a-z])\\\\d', '<\\\\g<x>>', 'a1b2') }} {{ re.findall('[a-z]', 'a1b2') }} {{ re.split('\\\\s*,\\\\s*', 'a , b') }} {{ re.match('B', 'b', re.IGNORECASE) is not none }}",
      "b True <a><b> ['a', 'b'] ['a', 'b'] True",
    ],
    [
      "{{ modules.itertools.product([1, 2], 'a')|list }} {{ modules.itertools.chain([1], [2])|list }} {{ modules.itertools.combinations('abc', 2)|map('join')|list }}",
      "[(1, 'a'), (2, 'a')] [1, 2] ['ab', 'ac', 'bc']",
    ],
    [
      "{% set dt = modules.datetime %}{% set d = dt.datetime.strptime('2021-03-19 17:05', '%Y-%m-%d %H:%M') %}{{ d }} {{ d + dt.timedelta(days=1, hours=-18) }} {{ d.strftime('%d.%m.%y %I%p %j %A') }} {{ (d - dt.datetime(2021, 1, 1)).days }} {{ d.date() }} {{ d.isoformat() }} {{ dt.date(2020, 2, 29).year }} {{ d > dt.datetime(2020, 1, 1) }}",
      '2021-03-19 17:05:00 2021-03-19 23:05:00 19.03.21 05PM 078 Friday 77 2021-03-19 2021-03-19T17:05:00 2020 True',
    ],
    ["{{ log('x') }}{{ print('y') }}{{ exceptions.warn('z') }}", ''],
  ])('%s', (template, expected) => {
    expect(text(template)).toBe(expected);
  });

  test('the clock, the ids and the outlets are the host’s', () => {
    const said: unknown[] = [];
    const context = dbtContext({
      runStartedAt: new Date('2021-03-19T17:00:00.5Z'),
      now: () => new Date('2021-03-20T01:02:03Z'),
      invocationId: 'id-1',
      onLog: (message, info, at) => said.push([message, info, at.line]),
      onPrint: (message) => said.push(message),
      onWarning: ({ code, message }) => said.push([code, message]),
    });
    const template =
      "{{ run_started_at }} {{ run_started_at.strftime('%Y-%m-%d') }} {{ invocation_id }} {{ modules.datetime.datetime.utcnow() }}\n{{ log('l', info=true) }}{{ print([1]) }}{{ exceptions.warn('w') }}";
    expect(text(template, context)).toBe(
      '2021-03-19 17:00:00.500000+00:00 2021-03-19 id-1 2021-03-20 01:02:03\n',
    );
    expect(said).toEqual([['l', true, 2], '[1]', ['SEG225', 'w']]);
  });
});

import { describe, expect, test } from 'vitest';
import { TemplateEnvironment } from './environment.ts';
import { toJson } from './to-json.ts';
import { hostFunction, hostObject } from './values.ts';
import type { Value } from './template-engine.ts';

function text(
  template: string,
  globals: Record<string, Value> = {},
  environment = new TemplateEnvironment(),
): string {
  return environment.render('m.sql', template, globals).text;
}

describe('macros', () => {
  test('are found across files and packages; packages are namespaces', () => {
    const environment = new TemplateEnvironment({ projectName: 'p' });
    environment.addMacroFile('a.sql', '{% macro a() %}a{{ b() }}{% endmacro %}', 'p');
    environment.addMacroFile('b.sql', '{% macro b() %}b{{ lib.c() }}{% endmacro %}', 'p');
    environment.addMacroFile(
      'lib/c.sql',
      '{% macro c() %}c{{ d() }}{% endmacro %}{% macro d() %}d{% endmacro %}',
      'lib',
    );
    const rendered = environment.render('m.sql', '{{ a() }} {{ p.b() }}', {});
    expect(rendered.text).toBe('abcd bcd');
    expect(rendered.macros).toEqual(['macro.p.a', 'macro.p.b', 'macro.lib.c', 'macro.lib.d']);
  });

  test("the project's macro wins over a built-in one, a package sees its own first", () => {
    const environment = new TemplateEnvironment({ projectName: 'p' });
    environment.addMacroFile(
      'seg/x.sql',
      '{% macro x() %}seg{% endmacro %}{% macro y() %}y:{{ x() }}{% endmacro %}',
      'seg',
    );
    expect(text('{{ x() }} {{ y() }} {{ dbt.x() }}', {}, environment)).toBe('seg y:seg seg');
    environment.addMacroFile('x.sql', '{% macro x() %}project{% endmacro %}', 'p');
    environment.addMacroFile(
      'lib/x.sql',
      '{% macro x() %}lib{% endmacro %}{% macro z() %}{{ x() }}{% endmacro %}',
      'lib',
    );
    expect(text('{{ x() }} {{ y() }} {{ z() }} {{ seg.x() }}', {}, environment)).toBe(
      'project y:project lib seg',
    );
  });

  test('override a global: `ref` calls `builtins.ref`', () => {
    const environment = new TemplateEnvironment({ projectName: 'p' });
    environment.addMacroFile(
      'ref.sql',
      "{% macro ref(m) %}{{ return(builtins.ref(m) ~ '!') }}{% endmacro %}",
      'p',
    );
    const ref = hostFunction(({ args }) => `"${String(args[0])}"`, 'ref');
    const builtins = hostObject({ attributes: { ref } });
    expect(text("{{ ref('a') }}", { ref, builtins }, environment)).toBe('"a"!');
  });

  test('return any object; text around a returned value is dropped', () => {
    const environment = new TemplateEnvironment();
    environment.addMacroFile(
      'm.sql',
      '{% macro m(n) %}noise{% for i in range(n) %}{% if i == 2 %}{% do return([i, none]) %}{% endif %}{% endfor %}end{% endmacro %}',
      'p',
    );
    expect(text('{{ m(5)[0] + 1 }} {{ m(5) }} {{ m(1) }}', {}, environment)).toBe('3 [2, None] noiseend');
    expect(environment.callMacro('m', [5], {}, {})).toMatchObject({
      value: [2, null],
      text: '[2, None]',
      macros: ['macro.p.m'],
    });
    expect(environment.callMacro('p.m', [], { n: 0 }, {})).toMatchObject({
      value: 'noiseend',
      text: 'noiseend',
    });
  });

  test('return in a call block ends the macro that called the block, as in dbt', () => {
    const environment = new TemplateEnvironment();
    environment.addMacroFile(
      'm.sql',
      "{% macro s() %}{{ caller() }}{% endmacro %}{% macro m() %}{% call s() %}{{ return('early') }}{% endcall %}late{% endmacro %}",
      'p',
    );
    expect(text('{{ m() }}', {}, environment)).toBe('earlylate');
  });

  test('dispatch looks for the engine, its relatives, then default', () => {
    const environment = new TemplateEnvironment({ projectName: 'p', adapter: 'pglite' });
    const lib =
      "{% macro f(x) %}{{ return(adapter.dispatch('f', 'lib')(x)) }}{% endmacro %}{% macro default__f(x) %}default {{ x }}{% endmacro %}";
    environment.addMacroFile('lib.sql', lib, 'lib');
    expect(text('{{ lib.f(1) }}', {}, environment)).toBe('default 1');
    environment.addMacroFile('pg.sql', '{% macro postgres__f(x) %}postgres {{ x }}{% endmacro %}', 'lib');
    expect(text('{{ lib.f(1) }}', {}, environment)).toBe('postgres 1');
    environment.addMacroFile('own.sql', '{% macro default__f(x) %}own {{ x }}{% endmacro %}', 'p');
    expect(text("{{ lib.f(1) }} {{ dispatch('f')(2) }}", {}, environment)).toBe('own 1 postgres 2');
    expect(() => text("{{ adapter.dispatch('nope')() }}", {}, environment)).toThrow(
      'dispatch found no macro for "nope"',
    );
    const adapter = hostObject({ attributes: { type: 'x' } });
    expect(text("{{ adapter.type }} {{ adapter.dispatch('f')(2) }}", { adapter }, environment)).toBe(
      'x postgres 2',
    );
  });

  test('a file given again replaces itself', () => {
    const environment = new TemplateEnvironment();
    environment.addMacroFile('m.sql', '{% macro m() %}1{% endmacro %}', 'p');
    environment.addMacroFile('m.sql', '{% macro m() %}2{% endmacro %}', 'p');
    expect(text('{{ m() }}', {}, environment)).toBe('2');
  });
});

describe('definitions', () => {
  test('tests, materializations, docs and snapshots are told to the host', () => {
    const source = [
      '{% test positive(model, column_name, least=0) %}select 1 from {{ model }} where {{ column_name }} < {{ least }}{% endtest %}',
      "{% materialization m, adapter='postgres' %}x{% endmaterialization %}",
      '{% docs d %}Prose with {{ braces }} and {% tags %}.{% enddocs %}',
      "{% snapshot s %}{{ config(unique_key='id') }}select 1{% endsnapshot %}",
    ].join('\n');
    const environment = new TemplateEnvironment();
    const found = environment.addMacroFile('x.sql', source, 'p');
    expect(
      found.map(({ kind, name, parameters, at }) => ({ kind, name, parameters, line: at.line })),
    ).toEqual([
      { kind: 'test', name: 'positive', parameters: ['model', 'column_name', 'least'], line: 1 },
      { kind: 'materialization', name: 'm', parameters: [], line: 2 },
      { kind: 'docs', name: 'd', parameters: [], line: 3 },
      { kind: 'snapshot', name: 's', parameters: [], line: 4 },
    ]);
    expect(found[2]?.text).toBe('Prose with {{ braces }} and {% tags %}.');
    expect(found.map((each) => each.source)).toEqual(source.split('\n'));
    const called = environment.callMacro('test_positive', [], { model: 't', column_name: 'c' }, {});
    expect(called.text).toBe('select 1 from t where c < 0');
  });
});

describe('values of the host', () => {
  test('plain objects are dicts that templates may change within one render', () => {
    const globals = { d: { a: [1], b: undefined } };
    expect(text('{% do d.a.append(2) %}{% do d.update({"c": 3}) %}{{ d }}', globals)).toBe(
      "{'a': [1, 2], 'b': None, 'c': 3}",
    );
    expect(globals.d.a).toEqual([1]);
  });

  test('lists keep their identity wherever they are reached through', () => {
    const template =
      "{% set d = {'l': []} %}{% do d.l.append(1) %}{% do d['l'].append(2) %}{% do d.get('l').append(3) %}" +
      '{% set ns = namespace(x=d) %}{% do ns.x.l.append(4) %}{% set c = cycler(d.l) %}{% do c.next().append(5) %}' +
      '{% for k, v in d.items() %}{% do v.append(6) %}{% endfor %}{{ d }}';
    expect(text(template)).toBe("{'l': [1, 2, 3, 4, 5, 6]}");
  });

  test('a template cannot change what the host keeps', () => {
    const kept = new Map<Value, Value>([['l', [1]]]);
    const vars = hostFunction(() => kept, 'vars');
    expect(text('{% do vars().l.append(2) %}{% do m.l.append(3) %}{{ vars() }}', { vars, m: kept })).toBe(
      "{'l': [1, 2, 3]}",
    );
    expect(kept.get('l')).toEqual([1]);
  });

  test('objects print, have attributes, and can be called', () => {
    const config = hostObject({
      attributes: { name: 'n' },
      print: () => '<c>',
      call: ({ args, kwargs }) => [args, kwargs.get('k')],
    });
    expect(text('{{ c }} {{ c.name }} {{ [c] }} {{ c(1, k=2) }} {{ c.zz is defined }}', { c: config })).toBe(
      '<c> n [<c>] [[1], 2] False',
    );
  });

  test('a call knows its place', () => {
    const where = hostFunction(({ at }) => `${at.line}:${at.column}+${at.length}`);
    expect(text("a\n {{ 'x' ~ where(1,\n 2) }} {{ where() }}", { where })).toBe('a\n x2:11+8 3:11+7');
  });
});

describe('native rendering of YAML values', () => {
  test.each([
    ['{{ 1 + 1 }}', 2],
    ['{{ [1, {"a": none}] }}', [1, { a: null }]],
    ['{{ true }}', true],
    ['a {{ 1 }}', 'a 1'],
    ['{{ "1" }}', '1'],
    ['{{ "1" | as_number }}', 1],
    ['{{ "True" | as_bool }}', true],
    ['{{ "[1, \'a\']" | as_native }}', [1, 'a']],
    ['{{ 1 | as_text }}', '1'],
    ['plain', 'plain'],
    ['{% if x %}{{ 5 }}{% endif %}', 5],
  ])('%s', (template, expected) => {
    expect(toJson(new TemplateEnvironment().renderNative('x.yml', template, { x: 1 }))).toEqual(expected);
  });

  test('as_number refuses what is none', () => {
    expect(() => new TemplateEnvironment().renderNative('x.yml', '{{ "a" | as_number }}', {})).toThrow(
      'into type number',
    );
  });
});

test('500 models of 60 lines render in well under a second of the processor, however busy it is', () => {
  const environment = new TemplateEnvironment({ projectName: 'p' });
  environment.addMacroFile(
    'm.sql',
    "{% macro cents(c) %}({{ c }} / 100){% endmacro %}{% macro cols(names) %}{% for n in names %}{{ n }}{{ ', ' if not loop.last }}{% endfor %}{% endmacro %}",
    'p',
  );
  const ref = hostFunction(({ args }) => `"public"."${String(args[0])}"`, 'ref');
  const lines = Array.from({ length: 52 }, (_, i) => `  , column_${i} as renamed_${i}`).join('\n');
  const joins = Array.from({ length: 4 }, (_, i) => `join {{ ref('m${i}') }} using (id)`).join('\n');
  const started = process.cpuUsage();
  for (let i = 0; i < 500; i++) {
    const template = `-- ${i}\nselect {{ cents('amount') }}, {{ cols(['a', 'b', 'c']) }}\n${lines}\nfrom {{ ref('x') }}\n${joins}`;
    environment.render(`models/m${i}.sql`, template, { ref });
  }
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1e6).toBeLessThan(2);
});

import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { TemplateEnvironment } from './environment.ts';
import { hostFunction } from './values.ts';

/** The first diagnostic of what `run` throws. */
function failure(run: () => unknown): Diagnostic {
  try {
    run();
  } catch (error) {
    if (error instanceof SegError) return error.diagnostics[0]!;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function render(template: string, globals: Record<string, unknown> = {}): Diagnostic {
  return failure(() => new TemplateEnvironment().render('models/a.sql', template, globals));
}

/** `code line:column+length message | hint`. */
function short(diagnostic: Diagnostic): string {
  const { code, message, at, hint } = diagnostic;
  return `${code} ${at?.line}:${at?.column}+${at?.length} ${message}${hint === undefined ? '' : ` | ${hint}`}`;
}

describe('errors say what, where and what to do', () => {
  test.each([
    [
      'unknown name',
      'a\n  {{ colum }}',
      { column: 1 },
      'SEG210 2:6+5 \'colum\' is undefined | Did you mean "column"?',
    ],
    [
      'unknown macro',
      "{{ reff('x') }}",
      { ref: 1 },
      'SEG214 1:4+4 unknown macro or function "reff" | Did you mean "ref"?',
    ],
    [
      'key of a dict',
      '{{ d.naame }}',
      { d: { name: 1 } },
      "SEG210 1:4+7 'dict object' has no attribute 'naame' | Did you mean \"name\"?",
    ],
    ['attribute of undefined', '{{ x.y.z }}', {}, "SEG210 1:4+1 'x' is undefined"],
    [
      'attribute of a missing key',
      '{{ d.b.c }}',
      { d: {} },
      "SEG210 1:4+3 'dict object' has no attribute 'b'",
    ],
    [
      'method',
      "{{ 'a'.uper() }}",
      {},
      "SEG214 1:4+8 'str object' has no attribute 'uper' | Did you mean \"upper\"?",
    ],
    ['unknown filter', '{{ 1 | joinn }}', {}, 'SEG211 1:8+5 unknown filter "joinn" | Did you mean "join"?'],
    [
      'unknown test',
      '{{ 1 is defind }}',
      {},
      'SEG212 1:9+6 unknown test "defind" | Did you mean "defined" or "undefined"?',
    ],
    [
      'operands',
      "{{ 'a' + 1 }}",
      {},
      'SEG215 1:4+7 can only concatenate str (not "int") to str | The operator ~ joins any values as text.',
    ],
    ['division', 'x {{ 1 / 0 }}', {}, 'SEG216 1:6+5 division by zero'],
    ['call of a value', '{{ x(1) }}', { x: 5 }, "SEG217 1:4+4 'int' object is not callable"],
    [
      'arguments of a filter',
      "{{ 'a'|replace('b') }}",
      {},
      'SEG213 1:4+16 filter "replace" is missing argument "new"',
    ],
    [
      'unknown tag',
      '{% forr x in y %}{% endfor %}',
      {},
      'SEG202 1:4+4 unknown tag "forr" | Did you mean "for"?',
    ],
    [
      'unclosed block',
      'a\n{% if x %}\n{% for y in z %}{% endfor %}\n',
      {},
      'SEG203 2:1+5 unclosed "if" block | Close it with {% endif %}.',
    ],
    [
      'wrong end',
      '{% if x %}{% endfor %}',
      {},
      'SEG202 1:14+6 unexpected tag "endfor" | Close "if" first, with {% endif %}.',
    ],
    ['token', '{{ a b }}', {}, 'SEG201 1:6+1 unexpected "b", expected end of expression "}}"'],
    ['bracket', '{{ (a] }}', {}, 'SEG201 1:6+1 unexpected "]", expected ")"'],
    ['string', "x\n{{ 'a }}", {}, "SEG204 2:4+1 unclosed string | Close the string with ' before }}."],
    ['comment', '{# a', {}, 'SEG204 1:1+2 unclosed comment | Close it with #}.'],
    ['expression', 'select {{ a', {}, 'SEG204 1:8+2 unclosed expression | Close it with }}.'],
    [
      'return outside',
      '{{ return(1) }}',
      {},
      'SEG219 1:4+9 "return" outside of a macro | Only a macro can return a value.',
    ],
    ['compiler error', "{{ exceptions.raise_compiler_error('no ' ~ 1) }}", {}, 'SEG220 1:4+42 no 1'],
  ])('%s', (_name, template, globals, expected) => {
    expect(short(render(template, globals))).toBe(expected);
  });

  test('loading tags are refused', () => {
    expect(render("{% include 'x' %}")).toMatchObject({ code: 'SEG205', at: { column: 4, length: 7 } });
  });

  test('an unclosed block inside another names the inner one; a wrong end shows what is open', () => {
    expect(render('{% if a %}\n{% for x in y %}\n')).toMatchObject({ code: 'SEG203', at: { line: 2 } });
    expect(render('{% for x in y %}{% endif %}').notes).toEqual([
      {
        message: 'the innermost open block is "for"',
        at: expect.objectContaining({ line: 1, column: 1 }) as unknown,
      },
    ]);
  });

  test('an error of a host function gets the place of its call, or keeps its own', () => {
    const ref = hostFunction(({ args }) => {
      throw segError('SEG301', `unknown model "${String(args[0])}"`);
    }, 'ref');
    expect(render("select *\nfrom {{ ref('x') }}", { ref })).toMatchObject({
      code: 'SEG301',
      at: { file: 'models/a.sql', line: 2, column: 9, length: 8 },
    });
    const own = hostFunction(() => {
      throw segError('SEG301', 'm', { at: { file: 'other.yml', line: 3, column: 1 } });
    }, 'own');
    expect(render('{{ own() }}', { own }).at).toEqual({ file: 'other.yml', line: 3, column: 1 });
  });

  test('an error inside of macros tells the calls that led there, innermost first', () => {
    const environment = new TemplateEnvironment();
    environment.addMacroFile('macros/a.sql', '\n{% macro inner(x) %}\n{{ x.y }}{% endmacro %}', 'p');
    environment.addMacroFile('macros/b.sql', '{% macro outer() %}{{ inner(missing) }}{% endmacro %}', 'p');
    const found = failure(() => environment.render('models/m.sql', 'select 1\n  {{ outer() }}', {}));
    expect(found).toMatchObject({ code: 'SEG210', message: "'missing' is undefined" });
    expect(found.at).toEqual({ file: 'macros/a.sql', line: 3, column: 4, length: 1 });
    expect(found.notes?.map((note) => note.message)).toEqual([
      'in macro "inner" (macros/a.sql:2:1), called from macros/b.sql:1:23',
      'in macro "outer" (macros/b.sql:1:1), called from models/m.sql:2:6',
    ]);
  });

  test.each([
    ['{{ m(1, 2, 3) }}', 'macro "m" takes at most 2 arguments (3 given)'],
    ['{{ m(z=1) }}', 'macro "m" has no argument "z"'],
    ['{{ m(1, a=1) }}', 'macro "m" got multiple values for argument "a"'],
    ['{{ m() }}', "parameter 'a' was not provided"],
    ['{% call m(1) %}x{% endcall %}', 'macro "m" takes no call block'],
  ])('macro arguments: %s', (call, message) => {
    const found = render(`{% macro m(a, b=2) %}{{ a }}{% endmacro %}${call}`);
    expect(found.message).toBe(message);
    expect(found.at?.line).toBe(1);
  });

  test('runaway templates are stopped', () => {
    const recursive = render('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}');
    expect(recursive.code).toBe('SEG221');
    expect(render(`{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`).code).toBe('SEG221');
    expect(render("{{ 'abcdefgh' * 10 ** 9 }}").code).toBe('SEG222');
    expect(render('{{ 9 ** 99999999 }}').code).toBe('SEG216');
    expect(render("{% set x = 'abcdefgh' * 10 ** 6 %}{% for i in range(50) %}{{ x }}{% endfor %}").code).toBe(
      'SEG222',
    );
    expect(render('{% set l = [1] %}{% for x in l %}{% do l.append(x) %}{% endfor %}').code).toBe('SEG226');
  });

  test('a macro defined twice in a package', () => {
    const environment = new TemplateEnvironment();
    environment.addMacroFile('macros/a.sql', '{% macro m() %}{% endmacro %}', 'p');
    const again = () => environment.addMacroFile('macros/b.sql', '{% macro m() %}{% endmacro %}', 'p');
    expect(failure(again)).toMatchObject({
      code: 'SEG223',
      at: { file: 'macros/b.sql' },
      notes: [{ at: { file: 'macros/a.sql' } }],
    });
  });

  test('a YAML value points into its file', () => {
    const at = { file: 'models/schema.yml', line: 7, column: 12 };
    const found = failure(() => new TemplateEnvironment().renderNative('schema.yml', 'x_{{ nope }}', {}, at));
    expect(found.at).toEqual({ file: 'models/schema.yml', line: 7, column: 17, length: 4 });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Location } from '../diagnostics/diagnostic.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import { TemplateEnvironment } from './environment.ts';

/** Where the first occurrence of `needle` in the rendered text came from, as `file:line:column+length`. */
function origin({ text, map }: { text: string; map: SourceMap }, needle: string): string {
  const offset = text.indexOf(needle);
  expect(offset, `"${needle}" in ${JSON.stringify(text)}`).toBeGreaterThanOrEqual(0);
  return place(map.locate(offset, needle.length)!);
}

function place({ file, line, column, length }: Location): string {
  return `${file}:${line}:${column}+${length}`;
}

describe('the map from rendered text to templates', () => {
  test('literal text maps letter by letter, an expression to itself', () => {
    const rendered = new TemplateEnvironment().render(
      'm.sql',
      "select a,\n  {{ 'b' ~ 'c' }} as d\nfrom t",
      {},
    );
    expect(rendered.text).toBe('select a,\n  bc as d\nfrom t');
    expect(origin(rendered, 'a,')).toBe('m.sql:1:8+2');
    expect(origin(rendered, 'bc')).toBe('m.sql:2:6+9');
    expect(origin(rendered, 'as d')).toBe('m.sql:2:19+4');
    expect(origin(rendered, 'from')).toBe('m.sql:3:1+4');
  });

  test('trimming, loops, line ends and raw text do not shift it', () => {
    const template =
      'x\r\n  {%- for i in [1, 2] -%}\r\n  v{{ i }};\r\n{%- endfor %} {% raw %}{{ r }}{% endraw %}';
    const rendered = new TemplateEnvironment().render('m.sql', template, {});
    expect(rendered.text).toBe('xv1;v2; {{ r }}');
    expect(origin(rendered, 'v1')).toBe('m.sql:3:3+1');
    expect(origin(rendered, 'v2')).toBe('m.sql:3:3+1');
    expect(origin(rendered, '2')).toBe('m.sql:3:7+1');
    expect(origin(rendered, 'r }}')).toBe('m.sql:4:27+4');
  });

  test('text of a macro maps to the macro, and knows its calls', () => {
    const environment = new TemplateEnvironment();
    const macros =
      '{% macro cents(c) %}\n  ({{ c }} / 100){% endmacro %}{% macro both() %}{{ cents("b") }}{% endmacro %}';
    environment.addMacroFile('macros/x.sql', macros, 'p');
    const rendered = environment.render(
      'm.sql',
      "select {{ cents('a') | trim }},{{ both() if true }} from t",
      {},
    );
    expect(rendered.text).toBe('select (a / 100),\n  (b / 100) from t');
    expect(origin(rendered, '/ 100')).toBe('macros/x.sql:2:12+5');
    expect(origin(rendered, 'a /')).toBe('macros/x.sql:2:7+1');
    expect(rendered.map.notesAt(rendered.text.indexOf('/ 100')).map((note) => note.message)).toEqual([
      'in macro "cents" (macros/x.sql:1:1), called from m.sql:1:11',
    ]);
    expect(rendered.map.notesAt(rendered.text.indexOf('b /')).map((note) => note.message)).toEqual([
      'in macro "cents" (macros/x.sql:1:1), called from macros/x.sql:2:53',
      'in macro "both" (macros/x.sql:2:32), called from m.sql:1:35',
    ]);
    expect(origin(rendered, 'from t')).toBe('m.sql:1:53+6');
    expect(rendered.map.notesAt(rendered.text.indexOf('from t'))).toEqual([]);
    expect(rendered.macros).toEqual(['macro.p.cents', 'macro.p.both']);
  });

  test('a call block maps to where the block stands, a returned value to the call', () => {
    const environment = new TemplateEnvironment();
    environment.addMacroFile(
      'x.sql',
      '{% macro w() %}<{{ caller() }}>{% endmacro %}{% macro r() %}zz{{ return(7) }}{% endmacro %}',
      'p',
    );
    const rendered = environment.render('m.sql', 'a {% call w() %}body{% endcall %} {{ r() }}', {});
    expect(rendered.text).toBe('a <body> 7');
    expect(origin(rendered, 'body')).toBe('m.sql:1:17+4');
    expect(rendered.map.notesAt(rendered.text.indexOf('body'))).toEqual([]);
    expect(origin(rendered, '<')).toBe('x.sql:1:16+1');
    expect(origin(rendered, '7')).toBe('m.sql:1:38+3');
  });

  test('property: text without delimiters renders to itself with an identity map', () => {
    const plain = fc.string({
      unit: fc.constantFrom('a', ' ', '\n', '{', '}', '%', '"', "'", 'é', '🦊', '\t'),
      maxLength: 80,
    });
    fc.assert(
      fc.property(plain, (text) => {
        fc.pre(!/\{[{%#]/.test(text) && !text.endsWith('\n'));
        const rendered = new TemplateEnvironment().render('m.sql', text, {});
        expect(rendered.text).toBe(text);
        for (let offset = 0; offset < text.length; offset++) {
          const lines = text.slice(0, offset).split('\n');
          expect(rendered.map.locate(offset)).toMatchObject({
            line: lines.length,
            column: lines.at(-1)!.length + 1,
          });
        }
      }),
    );
  });

  test('property: verbatim segments are letter by letter the template, and cover the text in order', () => {
    const piece = fc.constantFrom(
      'a\n',
      ' b ',
      '{{ x }}',
      '{{- x -}}',
      '{% if x %}',
      '{% endif %}',
      '\r\n',
      '{# c -#}',
      'éß',
      '{%- set y = 1 %}',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const template = pieces.join('');
        let rendered;
        try {
          rendered = new TemplateEnvironment().render('m.sql', template, { x: 'X' });
        } catch {
          return;
        }
        let end = 0;
        for (const segment of rendered.map.segments) {
          expect(segment.start).toBe(end);
          end += segment.length;
          const written = rendered.text.slice(segment.start, end);
          const from = template.slice(
            segment.templateOffset,
            segment.templateOffset + segment.templateLength,
          );
          expect(written).toBe(segment.verbatim ? from : 'X');
          if (!segment.verbatim) expect(from).toBe('x');
        }
        expect(end).toBe(rendered.text.length);
      }),
    );
  });
});

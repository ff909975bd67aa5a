import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TemplateEnvironment } from './environment.ts';

interface Case {
  readonly name: string;
  readonly template: string;
  readonly context: Record<string, unknown>;
  readonly jinja2_3_1_6: string;
}

const path = new URL('../../tests/jinja/jinja_cases.json', import.meta.url);
const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];

describe('templates dbt users write, expected output from jinja2 3.1.6', () => {
  test.each(cases.filter((each) => !each.jinja2_3_1_6.startsWith('ERR')))('$name', (each) => {
    const rendered = new TemplateEnvironment().render('case.sql', each.template, each.context);
    expect(rendered.text).toBe(each.jinja2_3_1_6);
  });

  // Jinja alone does not know these tags; dbt registers what they define and renders nothing.
  test.each(cases.filter((each) => each.jinja2_3_1_6.startsWith('ERR')))('$name', (each) => {
    const environment = new TemplateEnvironment();
    expect(environment.render('case.sql', each.template, each.context).text).toBe('');
    const definitions = environment.addMacroFile('macros/case.sql', each.template, 'pkg');
    expect(definitions).toHaveLength(1);
    expect(definitions[0]).toMatchObject({ kind: each.name.split(' ').at(-2), source: each.template });
  });
});

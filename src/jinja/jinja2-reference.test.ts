import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SegError } from '../diagnostics/seg-error.ts';
import { TemplateEnvironment } from './environment.ts';
import { parseJson } from './python/json.ts';

interface Case {
  readonly template: string;
  readonly output?: string;
  readonly error?: string;
}

const path = new URL('../../tests/jinja/jinja2_reference.json', import.meta.url);
const text = readFileSync(path, 'utf8');
const { cases } = JSON.parse(text) as { cases: Case[] };

/** Read anew for every case: templates may change it. Big ints stay exact. */
function context(): Record<string, unknown> {
  const document = parseJson(text) as Map<string, unknown>;
  return Object.fromEntries(document.get('context') as Map<string, unknown>);
}

describe('the same as jinja2 3.1.6 (scripts/jinja-reference.py)', () => {
  test.each(cases.filter((each) => each.output !== undefined))('$template', ({ template, output }) => {
    expect(new TemplateEnvironment().render('t.sql', template, context()).text).toBe(output);
  });

  test.each(cases.filter((each) => each.error !== undefined))('fails: $template', ({ template }) => {
    let error: unknown;
    try {
      new TemplateEnvironment().render('t.sql', template, context());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SegError);
    const [diagnostic] = (error as SegError).diagnostics;
    expect(diagnostic?.at).toMatchObject({ file: 't.sql', line: 1 });
    expect(diagnostic?.code).toMatch(/^SEG2\d\d$/);
  });
});

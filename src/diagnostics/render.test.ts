import { describe, expect, it } from 'vitest';
import { renderDiagnostic } from './render.ts';

const source = 'select\n  sum(m.scor) AS mql_score\nfrom x';
const sourceOf = (file: string) => (file === 'models/a.sql' ? source : undefined);

describe('renderDiagnostic', () => {
  it('shows place, line, underline, notes and hint', () => {
    const text = renderDiagnostic(
      {
        severity: 'error',
        code: 'SEG204',
        message: 'column "scor" does not exist in seed "mql_score"',
        at: { file: 'models/a.sql', line: 2, column: 9, length: 4 },
        notes: [
          {
            message: 'seed "mql_score" has columns event_name, mql_score.',
            at: { file: 'seeds/mql_score.csv', line: 1, column: 1 },
          },
        ],
        hint: 'Did you mean "mql_score"?',
      },
      { sourceOf },
    );
    expect(text).toBe(
      [
        'models/a.sql:2:9: error SEG204: column "scor" does not exist in seed "mql_score"',
        '    2 |   sum(m.scor) AS mql_score',
        '      |         ~~~~',
        '  note: seeds/mql_score.csv:1:1: seed "mql_score" has columns event_name, mql_score.',
        '  hint: Did you mean "mql_score"?',
      ].join('\n'),
    );
  });

  it('underlines the end of a line and leaves out what it does not know', () => {
    const at = { file: 'models/a.sql', line: 3, column: 7 };
    const diagnostic = { severity: 'warning', code: 'SEG1', message: 'm', at } as const;
    expect(renderDiagnostic(diagnostic, { sourceOf })).toBe(
      'models/a.sql:3:7: warning SEG1: m\n    3 | from x\n      |       ~',
    );
    const beyond = { ...diagnostic, at: { ...at, line: 9 } };
    expect(renderDiagnostic(beyond, { sourceOf })).toBe('models/a.sql:9:7: warning SEG1: m');
    expect(renderDiagnostic({ ...diagnostic, at: undefined })).toBe('warning SEG1: m');
  });

  it('keeps the underline in place behind tabs and wide characters', () => {
    const render = (line: string, column: number) =>
      renderDiagnostic(
        { severity: 'error', code: 'SEG1', message: 'm', at: { file: 'f', line: 1, column, length: 1 } },
        { sourceOf: () => line },
      ).split('\n');
    expect(render('\tx', 2)[2]).toBe('      |     ~');
    expect(render('日本x', 3)[2]).toBe('      |     ~');
  });

  it('shows the part of a long line around the place', () => {
    const line = `${'a'.repeat(500)}BAD${'b'.repeat(500)}`;
    const [, text, under] = renderDiagnostic(
      { severity: 'error', code: 'SEG1', message: 'm', at: { file: 'f', line: 1, column: 501, length: 3 } },
      { sourceOf: () => line },
    ).split('\n');
    expect(text!.length).toBeLessThan(140);
    expect(text!.slice(under!.indexOf('~'), under!.lastIndexOf('~') + 1)).toBe('BAD');
  });
});

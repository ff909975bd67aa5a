/** JUnit XML, the form CI servers read: one test case per test. */
import type { TestKind, TestResult } from './test-result.ts';

const suites: Record<TestKind, string> = {
  test: 'data tests',
  unit_test: 'unit tests',
  scenario: 'scenarios',
};

/** The report as text; one suite per kind of test. Warnings pass, with their message in the output. */
export function junitXml(
  results: readonly TestResult[],
  options: { name: string; timestamp?: string },
): string {
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: options.name, ...counts(results) })}>`,
  ];
  for (const kind of Object.keys(suites) as TestKind[]) {
    const of = results.filter((result) => result.kind === kind);
    if (of.length === 0) continue;
    const stamp: Record<string, string> =
      options.timestamp === undefined ? {} : { timestamp: options.timestamp };
    lines.push(`  <testsuite ${attributes({ name: suites[kind], ...counts(of), ...stamp })}>`);
    for (const result of of) lines.push(...testCase(result));
    lines.push('  </testsuite>');
  }
  lines.push('</testsuites>', '');
  return lines.join('\n');
}

function counts(results: readonly TestResult[]): Record<string, string | number> {
  const count = (status: TestResult['status']): number =>
    results.filter((result) => result.status === status).length;
  return {
    tests: results.length,
    failures: count('fail'),
    errors: count('error'),
    skipped: count('skipped'),
    time: results.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
  };
}

function testCase(result: TestResult): string[] {
  const { name, at, seconds, status } = result;
  const open = `    <testcase ${attributes({
    name,
    classname: at.file.replace(/\.[^./]*$/, '').replaceAll('/', '.'),
    file: at.file,
    line: at.line,
    time: seconds.toFixed(3),
  })}`;
  const message = result.message ?? '';
  const body = result.detail ?? message;
  switch (status) {
    case 'pass':
      return [`${open}/>`];
    case 'fail':
      return [
        `${open}>`,
        `      <failure ${attributes({ message, type: 'failure' })}>${escapeText(body)}</failure>`,
        '    </testcase>',
      ];
    case 'error':
      return [
        `${open}>`,
        `      <error ${attributes({ message, type: 'error' })}>${escapeText(body)}</error>`,
        '    </testcase>',
      ];
    case 'skipped':
      return [`${open}>`, `      <skipped ${attributes({ message })}/>`, '    </testcase>'];
    case 'warn':
      return [
        `${open}>`,
        `      <system-out>${escapeText(`warning: ${body}`)}</system-out>`,
        '    </testcase>',
      ];
  }
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escapeAttribute(String(value))}"`)
    .join(' ');
}

/** What XML 1.0 cannot hold at all: control characters, lone surrogates, and terminal colours, which are dropped first. */
function legal(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/\u001b\[[0-9;]*m/g, '')
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/\p{Surrogate}/gu, '\ufffd')
  );
}

function escapeText(text: string): string {
  return legal(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function escapeAttribute(text: string): string {
  return escapeText(text)
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\r', '&#13;')
    .replaceAll('\t', '&#9;');
}

import { expect, it } from 'vitest';
import { junitXml } from './junit.ts';
import { summaryLine, type TestResult } from './test-result.ts';

const at = { file: 'tests/a "b".yml', line: 3, column: 5 };
const results: TestResult[] = [
  {
    uniqueId: 'scenario.p.x',
    kind: 'scenario',
    name: 'x <&> "é"',
    status: 'pass',
    failures: 0,
    message: null,
    seconds: 0.25,
    at,
  },
  {
    uniqueId: 'test.p.u',
    kind: 'test',
    name: 'u',
    status: 'fail',
    failures: 2,
    message: 'Got 2 results, configured to fail if != 0',
    detail: '\u001b[31m- a]]>\u001b[39m\n\u0000\ud800+ b',
    seconds: 1,
    at,
  },
  {
    uniqueId: 'test.p.w',
    kind: 'test',
    name: 'w',
    status: 'warn',
    failures: 1,
    message: 'Got 1 result',
    seconds: 0,
    at,
  },
  {
    uniqueId: 'test.p.e',
    kind: 'test',
    name: 'e',
    status: 'error',
    failures: null,
    message: 'no "x"\n',
    seconds: 0,
    at,
  },
  {
    uniqueId: 'test.p.s',
    kind: 'test',
    name: 's',
    status: 'skipped',
    failures: null,
    message: 'upstream',
    seconds: 0,
    at,
  },
];

it('writes one test case per test', () => {
  expect(junitXml(results, { name: 'demo', timestamp: '2026-01-01T00:00:00Z' }))
    .toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="demo" tests="5" failures="1" errors="1" skipped="1" time="1.250">
  <testsuite name="data tests" tests="4" failures="1" errors="1" skipped="1" time="1.000" timestamp="2026-01-01T00:00:00Z">
    <testcase name="u" classname="tests.a &quot;b&quot;" file="tests/a &quot;b&quot;.yml" line="3" time="1.000">
      <failure message="Got 2 results, configured to fail if != 0" type="failure">- a]]&gt;
\ufffd\ufffd+ b</failure>
    </testcase>
    <testcase name="w" classname="tests.a &quot;b&quot;" file="tests/a &quot;b&quot;.yml" line="3" time="0.000">
      <system-out>warning: Got 1 result</system-out>
    </testcase>
    <testcase name="e" classname="tests.a &quot;b&quot;" file="tests/a &quot;b&quot;.yml" line="3" time="0.000">
      <error message="no &quot;x&quot;&#10;" type="error">no "x"
</error>
    </testcase>
    <testcase name="s" classname="tests.a &quot;b&quot;" file="tests/a &quot;b&quot;.yml" line="3" time="0.000">
      <skipped message="upstream"/>
    </testcase>
  </testsuite>
  <testsuite name="scenarios" tests="1" failures="0" errors="0" skipped="0" time="0.250" timestamp="2026-01-01T00:00:00Z">
    <testcase name="x &lt;&amp;&gt; &quot;é&quot;" classname="tests.a &quot;b&quot;" file="tests/a &quot;b&quot;.yml" line="3" time="0.250"/>
  </testsuite>
</testsuites>
`);
});

it('ends with a summary', () => {
  expect(summaryLine(results)).toBe('Ran 5 tests, 1 passed, 2 failed, 1 warned, 1 skipped');
  expect(summaryLine([])).toBe('Ran 0 tests, 0 passed, 0 failed');
});

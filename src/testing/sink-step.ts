/** `expect_sink:`: the bodies that sinks have sent since the scenario last asked. */
import type { JsonValue } from '../changelog/change.ts';
import { identityOf, isArray, isObject, parseJson, stringifyJson, textOfJson } from '../json/exact-json.ts';
import type { ExactJson } from '../json/exact-json.ts';
import type { Outgoing } from '../sinks/receivers/receiver.ts';
import type { Checked, StepContext } from './expect-step.ts';
import { readExpectedValue } from './matchers.ts';
import type { SinkStep } from './scenario.ts';
import { StepMistake, type StepFailure } from './step-outcome.ts';

/** Compares what a sink has sent with what is expected, in whatever order. */
export async function checkSink(step: SinkStep, { engine, scenario }: StepContext): Promise<Checked> {
  const actual = (await engine.sent(step.sink, step.path)).flatMap(bodiesOf);
  const title = `sink "${step.sink}"`;
  const at = scenario.locate(step.path);
  const failures: StepFailure[] = [];
  if (step.bodies !== null) {
    const { missing, extra } = pair(step.bodies, actual, step);
    const tooMany = step.contains ? [] : extra;
    if (missing.length + tooMany.length > 0) {
      const parts = [
        ...(missing.length > 0 ? [`${bodies(missing.length)} missing`] : []),
        ...(tooMany.length > 0 ? [`${bodies(tooMany.length)} not expected`] : []),
      ];
      failures.push({
        message: `${title}: ${parts.join(', ')}`,
        lines: [
          ...missing.map((body) => `- ${stringifyJson(body)}`),
          ...tooMany.map((body) => `+ ${stringifyJson(body)}`),
        ],
        count: Math.max(missing.length, tooMany.length),
        at,
      });
    }
  }
  if (step.count !== null && step.count !== actual.length) {
    const message = `${title}: expected ${bodies(step.count)}, there ${actual.length === 1 ? 'is' : 'are'} ${actual.length}`;
    failures.push({ message, count: Math.abs(step.count - actual.length), at });
  }
  return { failures, note: `${title}: ${bodies(actual.length)}` };
}

/** A request's body, each line of a file, the value of a message, each row of a statement. */
function bodiesOf({ body, parameters }: Outgoing): ExactJson[] {
  if (parameters !== undefined) {
    // The other statement notes which batch it is.
    const rows = parameters.length === 1 ? parsed(parameters[0]!) : [];
    return isArray(rows) ? [...rows] : [];
  }
  if (body === null) return [null];
  const whole = parsed(body);
  if (whole !== undefined) return [whole];
  const lines = body.trimEnd().split('\n').map(parsed);
  return lines.includes(undefined) ? [body] : (lines as ExactJson[]);
}

function parsed(text: string): ExactJson | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Pairs as many as can be (augmenting paths): an expected body may fit several. */
function pair(
  expected: readonly JsonValue[],
  actual: readonly ExactJson[],
  { path }: SinkStep,
): { missing: JsonValue[]; extra: ExactJson[] } {
  const takenBy = new Map<number, number>();
  const place = (index: number, tried: Set<number>): boolean =>
    actual.some((body, other) => {
      if (tried.has(other) || !fits(body, expected[index]!, path)) return false;
      tried.add(other);
      const holder = takenBy.get(other);
      if (holder !== undefined && !place(holder, tried)) return false;
      takenBy.set(other, index);
      return true;
    });
  const missing = expected.filter((_, index) => !place(index, new Set()));
  return { missing, extra: actual.filter((_, index) => !takenBy.has(index)) };
}

/** Keys that are not named may be there; lists are compared whole; a matcher stands for a value. */
function fits(actual: ExactJson, expected: JsonValue, path: SinkStep['path']): boolean {
  const read = readExpectedValue(expected);
  if ('mistake' in read) throw new StepMistake(read.mistake, { path });
  if ('matcher' in read) return read.matcher.matches(actual === null ? null : textOfJson(actual));
  if (read.value !== expected) return identityOf(actual) === identityOf(read.value);
  if (Array.isArray(expected)) {
    return (
      isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => fits(actual[index]!, item, path))
    );
  }
  if (expected === null || typeof expected !== 'object') return identityOf(actual) === identityOf(expected);
  return (
    isObject(actual) &&
    Object.entries(expected).every(
      ([key, value]) => Object.hasOwn(actual, key) && fits(actual[key]!, value, path),
    )
  );
}

function bodies(count: number): string {
  return `${count} ${count === 1 ? 'body' : 'bodies'}`;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TemplateEnvironment } from './environment.ts';
import { arithmetic, int, toBigInt } from './numbers.ts';
import { repr } from './print.ts';
import type { Value } from './template-engine.ts';
import { PyFloat, PyTuple } from './values.ts';
import { equals } from './compare.ts';

const integers = fc.oneof(fc.bigInt({ min: -50n, max: 50n }), fc.bigInt());
const floats = fc.double({ noNaN: true, noDefaultInfinity: true });

function evaluate(source: string): Value {
  return new TemplateEnvironment().renderNative('x.yml', `{{ ${source} }}`, {});
}

describe('ints', () => {
  test('property: + - * are exact at any size', () => {
    fc.assert(
      fc.property(integers, integers, (a, b) => {
        expect(arithmetic('+', int(a), int(b))).toBe(int(a + b));
        expect(arithmetic('-', int(a), int(b))).toBe(int(a - b));
        expect(arithmetic('*', int(a), int(b))).toBe(int(a * b));
      }),
    );
  });

  test('property: a == (a // b) * b + a % b, and the remainder has the sign of b', () => {
    fc.assert(
      fc.property(
        integers,
        integers.filter((b) => b !== 0n),
        (a, b) => {
          const quotient = toBigInt(arithmetic('//', int(a), int(b)) as number);
          const rest = toBigInt(arithmetic('%', int(a), int(b)) as number);
          expect(quotient * b + rest).toBe(a);
          expect(rest === 0n || rest < 0n === b < 0n).toBe(true);
          expect((rest < 0n ? -rest : rest) < (b < 0n ? -b : b)).toBe(true);
        },
      ),
    );
  });
});

describe('repr', () => {
  const leaf: fc.Arbitrary<Value> = fc.oneof(
    fc.constantFrom<Value>(null, true, false),
    integers.map(int),
    floats.map((value) => (Number.isInteger(value) ? new PyFloat(value) : value)),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', 'a', '\0', '{', '}', '%', 'é') }),
  );
  const tree = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => new PyTuple(items)),
      fc
        .array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 })
        .map((pairs) => new Map<Value, Value>(pairs)),
    ),
  })).value;

  test('property: what repr writes, the engine reads back as an equal value', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const read = evaluate(repr(value));
        expect(repr(read)).toBe(repr(value));
        expect(equals(read, value)).toBe(true);
      }),
    );
  });
});

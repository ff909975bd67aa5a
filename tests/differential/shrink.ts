/** A failing case → a small one: what can be left out is left out, then fast-check makes the numbers small. */
import fc from 'fast-check';
import type { NodeSpec, Spec } from './spec.ts';

/** @param fails whether a case still shows the fault */
export async function shrunk(
  failing: Spec,
  arbitrary: fc.Arbitrary<Spec>,
  fails: (spec: Spec) => Promise<boolean>,
  seconds: number,
): Promise<Spec> {
  const until = performance.now() + (seconds * 1000) / 2;
  let best = failing;
  let smaller = true;
  while (smaller && performance.now() < until) {
    smaller = false;
    for (const candidate of reductions(best)) {
      if (performance.now() >= until) break;
      if (!(await fails(candidate))) continue;
      best = candidate;
      smaller = true;
      break;
    }
  }
  let least = best;
  let running = Promise.resolve(false);
  await fc.check(
    fc.asyncProperty(arbitrary, async (spec) => {
      running = fails(spec);
      if (!(await running)) return true;
      least = spec;
      return false;
    }),
    { numRuns: 1, examples: [[best]], interruptAfterTimeLimit: seconds * 500, markInterruptAsFailure: false },
  );
  // Where the time is over, fast-check leaves a case alone that still runs.
  await running;
  return least;
}

function without<T>(items: readonly T[], from: number, count = 1): T[] {
  return [...items.slice(0, from), ...items.slice(from + count)];
}

/** Cases with a part of this one left out, the big parts first. */
function* reductions(spec: Spec): Generator<Spec> {
  for (let i = spec.histories.length - 1; i >= 0 && spec.histories.length > 1; i--)
    yield { ...spec, histories: without(spec.histories, i) };
  for (let i = spec.views.length - 1; i >= 0 && spec.views.length > 1; i--)
    yield { ...spec, views: without(spec.views, i) };
  for (const [i, steps] of spec.histories.entries()) {
    for (
      let count = Math.ceil(steps.length / 2);
      count >= 1;
      count = count === 1 ? 0 : Math.ceil(count / 2)
    ) {
      for (let from = steps.length - count; from >= 0; from -= count) {
        const fewer = without(steps, from, count);
        yield { ...spec, histories: spec.histories.map((each, j) => (j === i ? fewer : each)) };
      }
    }
  }
  for (let i = 0; i < spec.before.length; i++) yield { ...spec, before: without(spec.before, i) };
  if (spec.shadows.length > 0) yield { ...spec, shadows: spec.shadows.slice(0, -1) };
  for (let i = 0; i < spec.triggers.length; i++) yield { ...spec, triggers: without(spec.triggers, i) };
  for (let i = 0; i < spec.functions.length; i++) yield { ...spec, functions: without(spec.functions, i) };
  for (const [i, view] of spec.views.entries())
    for (const query of simpler(view.query))
      yield { ...spec, views: spec.views.map((each, j) => (j === i ? { ...each, query } : each)) };
  for (let i = spec.tables.length - 1; i >= 0 && spec.tables.length > 1; i--)
    yield { ...spec, tables: without(spec.tables, i) };
}

/** Queries with one operator less, and with fewer numbers. */
function* simpler(node: NodeSpec): Generator<NodeSpec> {
  for (const child of node.of) yield child;
  for (const [i, child] of node.of.entries())
    for (const less of simpler(child))
      yield { ...node, of: node.of.map((each, j) => (j === i ? less : each)) };
  for (let count = Math.ceil(node.n.length / 2); count >= 1; count = count === 1 ? 0 : Math.ceil(count / 2))
    yield { ...node, n: node.n.slice(0, node.n.length - count) };
}

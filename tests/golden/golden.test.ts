/**
 * What each stage of the compiler makes of the project's models and of a choice of constructs: canonical SQL → algebra → plan →
 * statements. `npx vitest run tests/golden -u` writes the files anew; the difference is for reading.
 */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { explainViews } from '../../src/incremental/explain-view.ts';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import { readPlans } from '../../src/incremental/stored-plan.ts';
import { quoteIdentifier, quoteRelation } from '../../src/sql/quote.ts';
import { coverage } from '../differential/coverage.ts';
import { tables } from '../differential/history.ts';
import { compiledView } from './compiled-view.ts';
import { deployProject } from './deploy-project.ts';

const folder = (...names: string[]): string => join(import.meta.dirname, 'ivm', ...names);

/** Constructs whose strategies differ most. */
const chosen = new Set([
  'three_way',
  'aggregate',
  'aggregate_two',
  'stacked',
  'distinct_on',
  'window',
  'top_n',
  'left_join_chain',
  'full_join',
  'not_in',
  'lateral_top',
  'except_all',
  'global_limit',
  'sessions',
]);

describe('models of the project', async () => {
  const db = await openMemoryDatabase();
  afterAll(() => db.close());
  const project = await deployProject(db);
  const plans = await readPlans(db, '_seg');
  const explained = await explainViews(db, '_seg');
  const schema = Object.values(project.manifest.nodes).find((node) => node.resource_type === 'model')!.schema;
  await db.exec(`SET search_path = ${quoteIdentifier(schema)}, pg_catalog`);

  it('are all maintained at the cost of the change', () => {
    expect(plans.length).toBeGreaterThanOrEqual(12);
    const recomputed = plans.flatMap(({ relation, stages }) =>
      stages
        .filter(({ stage }) => stage.strategy === 'recompute')
        .map(({ stage }) => `${relation.name}: ${stage.reason}`),
    );
    expect(recomputed).toEqual([]);
  });

  it.each(plans.map((plan) => [plan.relation.name, plan] as const))('%s', async (name, plan) => {
    const { algebra, plan: staged, program } = await compiledView(db, plan, plans, explained.get(plan.key)!);
    await expect(algebra).toMatchFileSnapshot(folder(name, 'algebra.txt'));
    await expect(staged).toMatchFileSnapshot(folder(name, 'plan.txt'));
    await expect(program).toMatchFileSnapshot(folder(name, 'program.sql'));
  });
});

describe('constructs', async () => {
  const db = await openMemoryDatabase();
  afterAll(() => db.close());
  for (const statement of tables) await db.exec(statement);
  const queries = coverage.filter(({ name }) => chosen.has(name));
  for (const { name, sql } of queries) await createIncrementalView(db, name, sql, { changes: true });
  const plans = await readPlans(db, '_seg');
  const explained = await explainViews(db, '_seg');

  it.each(queries.map(({ name }) => name))('%s', async (name) => {
    const key = quoteRelation({ schema: 'public', name });
    const plan = plans.find((candidate) => candidate.key === key)!;
    const { algebra, plan: staged, program } = await compiledView(db, plan, plans, explained.get(key)!);
    const whole = `${algebra}\n${staged}\n${program}`;
    await expect(whole).toMatchFileSnapshot(folder('constructs', `${name}.txt`));
  });
});

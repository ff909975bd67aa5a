/** Program → PL/pgSQL text and triggers. Decides layout, never meaning. */
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../../sql/quote.ts';
import { EPOCH_VARIABLE } from './program.ts';
import type { Program, Step } from './program.ts';

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

/** Names of the statement triggers that seg hangs on an input table. */
export const triggerNames = {
  INSERT: 'seg_insert',
  UPDATE: 'seg_update',
  DELETE: 'seg_delete',
  TRUNCATE: 'seg_truncate',
} as const;

/**
 * `CREATE OR REPLACE FUNCTION` of a program.
 *
 * It runs with its owner's rights, so that whoever may write to the table keeps the views right; with the names and
 * settings of deployment, so that a writer's search_path or time zone cannot change an answer; and with
 * `use_column`, so that a model's column may bear any name.
 *
 * Recomputing reads everything, so its plans are set-wise: without statistics (a WASM server never analyzes) a plan made while
 * a table was empty loops over it, and a cached one would go on to do so when it has grown: 10 minutes instead of 10
 * seconds for 100,000 events.
 */
export function emitFunction(
  program: Program,
  name: RelationName,
  options: { readonly stateSchema: string; readonly searchPath: readonly string[] },
): string {
  const seg = quoteIdentifier(options.stateSchema);
  const flags = program.steps.map((_, index) => `  ${flag(index)} bigint := 0;`);
  const index = new Map(program.steps.map((step, i) => [step.view, i]));
  const body = `
#variable_conflict use_column
DECLARE
  ${EPOCH_VARIABLE} bigint;
${flags.join('\n')}
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT FROM _seg_new) THEN RETURN NULL; END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT FROM _seg_old) THEN RETURN NULL; END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF NOT EXISTS (SELECT FROM _seg_new) THEN RETURN NULL; END IF;
  END IF;
  ${EPOCH_VARIABLE} := ${seg}.begin_step();
${program.steps.map((step, i) => emitStep(step, i, index)).join('\n')}
  INSERT INTO ${seg}.step (epoch, at) VALUES (${EPOCH_VARIABLE}, clock_timestamp()) ON CONFLICT DO NOTHING;
  RETURN NULL;
END;
`;
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(name)}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ${options.searchPath.map(quoteIdentifier).join(', ')}
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, MDY'
SET IntervalStyle = 'postgres'
SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off
AS ${dollarQuote(body)}`;
}

function emitStep(step: Step, index: number, indexOf: ReadonlyMap<string, number>): string {
  const run = `  ${step.statement}
  INTO ${flag(index)};`;
  const head = `
  -- model ${oneLine(step.label)}: ${step.strategy}`;
  if (step.always) return `${head}\n${run}`;
  const condition = step.after.map((view) => `${flag(indexOf.get(view)!)} > 0`).join(' OR ');
  return `${head}\n  IF ${condition} THEN\n${run}\n  END IF;`;
}

/** `DROP`s and `CREATE`s of an input table's triggers. TRUNCATE has no transition tables. */
export function emitTriggers(table: RelationName, program: RelationName): string[] {
  const transitions = {
    INSERT: 'REFERENCING NEW TABLE AS _seg_new',
    UPDATE: 'REFERENCING OLD TABLE AS _seg_old NEW TABLE AS _seg_new',
    DELETE: 'REFERENCING OLD TABLE AS _seg_old',
    TRUNCATE: '',
  };
  return (Object.keys(triggerNames) as (keyof typeof triggerNames)[]).map(
    (event) =>
      `CREATE OR REPLACE TRIGGER ${triggerNames[event]} AFTER ${event} ON ${quoteRelation(table)} ${transitions[event]} ` +
      `FOR EACH STATEMENT EXECUTE FUNCTION ${quoteRelation(program)}()`,
  );
}

export function emitDropTriggers(table: RelationName): string[] {
  return Object.values(triggerNames).map(
    (name) => `DROP TRIGGER IF EXISTS ${name} ON ${quoteRelation(table)}`,
  );
}

function flag(index: number): string {
  return `_seg_changed_${index}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** The body as a string constant: with dollars and a tag that the body does not contain. */
function dollarQuote(body: string): string {
  for (let i = 0; i < 1000; i++) {
    const tag = i === 0 ? '$seg$' : `$seg${i}$`;
    if (!body.includes(tag)) return `${tag}${body}${tag}`;
  }
  return quoteLiteral(body);
}

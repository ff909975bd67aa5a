/**
 * Program → PL/pgSQL. For an input table: one trigger function for each of INSERT, UPDATE, DELETE, since each sees other
 * transition tables; one that refreshes all stages as a whole (TRUNCATE, very large changes, and SQL statements that
 * change several inputs at once); for each stage one function that refreshes it.
 *
 * The trigger functions carry settings: state must be reached by index, whatever statistics say of tables that were empty
 * when they were analysed (a hash of the whole state against a delta of one row was 700 times slower), and statements
 * are planned once a session. The refreshing functions run with the server's own settings, so they hash and sort.
 */
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../../sql/quote.ts';
import { searchPathSql } from '../../sql/search-path.ts';
import { shortName } from '../../sql/short-name.ts';
import type { RelationName } from '../catalog.ts';
import { ANNOUNCE } from '../../state/begin-statement.ts';
import { deltaArrays } from '../strategies/apply.ts';
import { AGAIN, answering, runStatement, statementText } from '../strategies/statement.ts';
import { mayReread } from '../strategies/merge.ts';
import { fillSql, recomputeSql } from '../strategies/recompute.ts';
import type { StoredStage } from '../strategies/stored-stage.ts';
import { changedBefore, emitMoved, instants, notedWhenMoved } from './emit-clock.ts';
import { atStage, errorVariables, namingErrors } from './name-errors.ts';
import { closeStatement, othersOpen, refreshedWhole, statementVariables } from './open-statements.ts';
import { noteTimes, timedRefresh, timedStep, timingVariables } from './time-steps.ts';
import { EPOCH, addedVariable, countVariable, removedVariable, tableEvents } from './program-data.ts';
import type { InputProgram, ProgramStep, TableEvent } from './program-data.ts';

export interface EmitOptions {
  readonly stateSchema: string;
  readonly searchPath: readonly string[];
  /** Name of a function of this program: `insert`, `update`, `delete`, `refresh`. */
  readonly functionName: (part: string) => RelationName;
  /** Name of the function that refreshes a stage. */
  readonly refreshName: (stored: StoredStage) => RelationName;
  /** From how many changed rows on all stages are refreshed set-wise instead. */
  readonly largeChange: number;
  /** What an error within a model advises. */
  readonly remedy: string;
  /** Whether each step notes its time (program/time-steps.ts). */
  readonly timed?: boolean;
  /** The function that announces a statement, where it is not the state schema's own (state/begin-statement.ts). */
  readonly begin?: RelationName;
}

const fixed = (options: EmitOptions): string => `SECURITY DEFINER
SET search_path = ${searchPathSql(options.searchPath)}
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, MDY'
SET IntervalStyle = 'postgres'`;

const byIndex = `SET enable_hashjoin = off
SET enable_bitmapscan = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET jit = off
SET plan_cache_mode = force_generic_plan`;

/** Every function of a program except the stages' own. */
export function emitProgram(
  program: InputProgram,
  options: EmitOptions,
): { name: RelationName; text: string }[] {
  const events = tableEvents.map((event) => ({
    name: options.functionName(event),
    text: emitEvent(program, event, options),
  }));
  return [
    { name: options.functionName('refresh'), text: emitRefreshAll(program, options) },
    { name: options.functionName('whole'), text: emitRefreshWhole(program, options) },
    { name: options.functionName('truncate'), text: emitTruncate(program, options) },
    ...events,
  ];
}

/**
 * When a change is large beside the table it is made to, going through the partitions it touches costs more than one set-wise pass
 * over everything. What is added up (linear and merged stages) costs the change, however large, and is never read again for it. Measured on the segmentation graph the two meet near a third of the table; views of few large groups meet
 * earlier, so a fifth is taken. A row takes about 200 bytes, and a change of few rows is never worth a pass. The size is asked
 * of the file, since statistics may be absent.
 */
const someRows = 500;
const bytesPerChange = 5 * 200;

function emitEvent(program: InputProgram, event: TableEvent, options: EmitOptions): string {
  const seg = quoteIdentifier(options.stateSchema);
  const rows = event === 'delete' ? '_seg_old' : '_seg_new';
  const crossing = program.steps.some((step) => step.crossing);
  // Where groups are read again they hold the whole change: then all triggers of the query must read, and none may add.
  const rereads = program.steps.some(({ statements, clock }) =>
    (statements === null ? (clock?.statement ?? '') : statementText(statements[event])).includes(AGAIN),
  );
  const timed = options.timed === true;
  const steps = program.steps.map((step, i) => {
    const text = emitStep(step, i, event, options);
    return `    ${atStage(program, step.stored)}\n${timed ? timedStep(step, i, event, text) : text}`;
  });
  if (timed) steps.push(noteTimes);
  const partitions = program.steps.some((step) => byPartitions(step, event));
  const largely = partitions
    ? `  _seg_large := _seg_count > ${someRows} AND EXISTS (SELECT FROM ${rows} OFFSET ${seg}.family_size(${quoteLiteral(quoteRelation(program.input.table))}::regclass) / ${bytesPerChange});\n`
    : '';
  const body = `
#variable_conflict use_column
DECLARE
  ${EPOCH} bigint;
${statementVariables(rereads, event === 'update')}
  _seg_count integer;${partitions ? '\n  _seg_large boolean;' : ''}
${errorVariables}
${timed ? timingVariables : ''}${instants(program, event).declared}${declarations(program)}
BEGIN
  SELECT count(*) FROM (SELECT FROM ${rows} LIMIT ${someRows + 1}) AS _seg_q INTO _seg_count;
${closeStatement(program, options.stateSchema, { changed: '_seg_count > 0', crossing, rereads, updates: event === 'update' })}
${beginStep(program, seg)}${instants(program, event).read}${largely}  IF _seg_whole OR (_seg_count > ${someRows} AND EXISTS (SELECT FROM ${rows} OFFSET ${options.largeChange})) THEN
    ${refreshAll(options)}
    ${refreshedWhole(options.stateSchema)}
  ELSE
${namingErrors(program, steps.join('\n'), options.remedy)}
  END IF;
${notedWhenMoved(program, event, noteStep(program, seg))}  RETURN NULL;
END;
`;
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(options.functionName(event))}() RETURNS trigger
LANGUAGE plpgsql ${fixed(options)}
${byIndex}
AS ${dollarQuote(body)}`;
}

/**
 * The number of the step, as `begin_step()` takes it (state/schema.ts). Written out, because a statement of the program is planned once a
 * session and a function in SQL is not; for the same reason settings are assigned and not PERFORMed: an expression runs without
 * the executor. For one event these are a third of what a view costs.
 *
 * Without a feed nobody asks for the number.
 */
function beginStep(program: InputProgram, seg: string): string {
  if (!hasFeed(program)) return '';
  return `  UPDATE ${seg}.epoch SET epoch = epoch + CASE WHEN txid = pg_current_xact_id() THEN 0 ELSE 1 END, txid = pg_current_xact_id()
  RETURNING epoch INTO ${EPOCH};\n`;
}

function hasFeed({ steps, beside }: InputProgram): boolean {
  return [...steps, ...beside].some(({ stored }) => stored.changelog !== null);
}

/** When a step was is asked by readers of feeds only: where none is kept, it is not written down. */
function noteStep(program: InputProgram, seg: string): string {
  if (!hasFeed(program)) return '';
  return `  INSERT INTO ${seg}.step (epoch, at) VALUES (${EPOCH}, clock_timestamp()) ON CONFLICT DO NOTHING;\n`;
}

function declarations(program: InputProgram): string {
  return program.steps
    .map((step, i) => {
      if (!step.wanted) return `  ${countVariable(i)} bigint := 0;`;
      const type = `${quoteRelation(step.stored.table)}[]`;
      return `  ${removedVariable(i)} ${type} := '{}';\n  ${addedVariable(i)} ${type} := '{}';`;
    })
    .join('\n');
}

/** Whether what the step costs is more than its change: the partitions that are touched, or groups that are read again. */
function byPartitions({ stored, statements }: ProgramStep, event: TableEvent): boolean {
  if (statements === null || stored.stage.strategy === 'linear') return false;
  const lists = stored.stage.merge?.parts.some(({ kind }) => kind === 'list') === true;
  return stored.stage.strategy !== 'merge' || lists || (event !== 'insert' && mayReread(stored));
}

function emitStep(step: ProgramStep, index: number, event: TableEvent, options: EmitOptions): string {
  const head = `    -- ${oneLine(step.stored.label)}: ${step.stored.stage.strategy}`;
  const into = step.wanted ? `${removedVariable(index)}, ${addedVariable(index)}` : countVariable(index);
  const refresh = `SELECT ${step.wanted ? 'removed, added' : 'changed'} FROM ${quoteRelation(options.refreshName(step.stored))}(${EPOCH}, ${step.wanted}) AS ${refreshColumns(step.stored)}`;
  const refreshed = runStatement(answering(refresh), into);
  const own = step.statements === null ? refreshed : runStatement(step.statements[event], into);
  const run = byPartitions(step, event)
    ? `    IF _seg_large THEN\n${refreshed}\n    ELSE\n${own}\n    END IF;`
    : own;
  if (step.clock !== undefined && event === 'update')
    return `${head}\n${emitMoved(step, step.clock, into, run)}`;
  if (step.always) return `${head}\n${run}`;
  return `${head}\n    IF ${changedBefore(step).join(' OR ')} THEN\n${run}\n    END IF;`;
}

function refreshAll(options: EmitOptions): string {
  const perform = (part: string): string => `PERFORM ${quoteRelation(options.functionName(part))}(${EPOCH});`;
  return `IF _seg_whole THEN ${perform('whole')} ELSE ${perform('refresh')} END IF;`;
}

const changedFlag = (i: number): string => `_seg_changed_${i}`;

function refreshStage(stored: StoredStage, into: string, options: EmitOptions): string {
  return `  SELECT changed FROM ${quoteRelation(options.refreshName(stored))}(${EPOCH}, false) AS ${refreshColumns(stored)} INTO ${into};`;
}

/** The input has changed, and nothing else. */
function emitRefreshAll(program: InputProgram, options: EmitOptions): string {
  const timed = options.timed === true;
  const steps = program.steps.map((step, i) => {
    const run = refreshStage(step.stored, changedFlag(i), options);
    const text = step.always
      ? run
      : `  IF ${step.after.map((of) => `${changedFlag(of)} > 0`).join(' OR ')} THEN\n  ${run}\n  END IF;`;
    return `  ${atStage(program, step.stored)}\n${timed ? timedRefresh(i, changedFlag(i), text) : text}`;
  });
  if (timed) steps.push(noteTimes);
  const variables = `${timed ? timingVariables : ''}${program.steps.map((_, i) => `  ${changedFlag(i)} bigint := 0;`).join('\n')}`;
  return refreshFunction(program, options, 'refresh', variables, steps);
}

/** Other inputs are under way, or were: see program/open-statements.ts. */
function emitRefreshWhole(program: InputProgram, options: EmitOptions): string {
  const run = (stored: StoredStage): string =>
    `  ${atStage(program, stored)}\n${refreshStage(stored, '_seg_changed', options)}`;
  const beside = (before: number): string[] =>
    program.beside
      .filter((stage) => stage.before === before)
      .map(
        ({ stored, inputs }) =>
          `  IF ${othersOpen(options.stateSchema, inputs)} THEN\n${run(stored)}\n  END IF;`,
      );
  const steps = program.steps.flatMap(({ stored }, i) => [...beside(i), run(stored)]);
  return refreshFunction(program, options, 'whole', '  _seg_changed bigint;', steps);
}

function refreshFunction(
  program: InputProgram,
  options: EmitOptions,
  part: string,
  variables: string,
  steps: readonly string[],
): string {
  const body = `
DECLARE
${errorVariables}
${variables}
BEGIN
${namingErrors(program, steps.join('\n'), options.remedy)}
END;
`;
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(options.functionName(part))}(${EPOCH} bigint) RETURNS void
LANGUAGE plpgsql ${fixed(options)}
${setWise}
AS ${dollarQuote(body)}`;
}

/** What the trigger functions switched off is on again where whole relations are compared. */
const setWise = `SET enable_hashjoin = on
SET enable_mergejoin = on
SET enable_seqscan = on
SET plan_cache_mode = force_custom_plan`;

/** The first rows come from an index on their order, whatever statistics say: neither a scan nor a sort may seem cheaper. */
const byOrder = `SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
SET plan_cache_mode = force_generic_plan`;

function emitTruncate(program: InputProgram, options: EmitOptions): string {
  const seg = quoteIdentifier(options.stateSchema);
  const body = `
DECLARE
  ${EPOCH} bigint;
${statementVariables(false)}
BEGIN
${closeStatement(program, options.stateSchema, { changed: 'true', crossing: false, rereads: false, last: true })}
${beginStep(program, seg)}  ${refreshAll(options)}
  ${refreshedWhole(options.stateSchema)}
${noteStep(program, seg)}  RETURN NULL;
END;
`;
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(options.functionName('truncate'))}() RETURNS trigger
LANGUAGE plpgsql ${fixed(options)}
AS ${dollarQuote(body)}`;
}

/** What a refreshing function answers. */
export function refreshColumns(stored: StoredStage): string {
  const rows = `${quoteRelation(stored.table)}[]`;
  return `"_seg_r" (changed bigint, removed ${rows}, added ${rows})`;
}

/** The function that brings one stage up to date by recomputing it; its change comes as arrays when asked for. */
export function emitRefresh(stored: StoredStage, options: EmitOptions): string {
  const view = {
    table: stored.table,
    query: stored.query,
    columns: stored.columns.map((column) => ({
      ...column,
      hidden: stored.stage.columns.find(({ name }) => name === column.name)?.hidden,
    })),
  };
  const changelog = stored.changelog === null ? null : { ...stored.changelog, epoch: EPOCH };
  const rowType = `${quoteRelation(stored.table)}[]`;
  const [fill, ...logged] = fillSql(view, changelog);
  const body = `
#variable_conflict use_column
DECLARE
  changed bigint;
  removed ${rowType};
  added ${rowType};
BEGIN
  -- ${oneLine(stored.label)}
  IF _seg_wanted THEN
    ${recomputeSql(view, changelog, deltaArrays(stored))}
    INTO removed, added;
    changed := cardinality(removed) + cardinality(added);
  ELSIF NOT EXISTS (SELECT FROM ${quoteRelation(stored.table)}) THEN
    ${fill};
    GET DIAGNOSTICS changed = ROW_COUNT;
${logged.map((statement) => `    ${statement};\n`).join('')}  ELSE
    ${recomputeSql(view, changelog)}
    INTO changed;
  END IF;
  RETURN ROW(changed, removed, added);
END;
`;
  // No row type in the signature: the table could not be replaced while a function depends on it.
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(options.refreshName(stored))}(${EPOCH} bigint, _seg_wanted boolean)
RETURNS record LANGUAGE plpgsql ${fixed(options)}
${stored.stage.strategy === 'top' ? byOrder : setWise}
AS ${dollarQuote(body)}`;
}

/** Triggers of several state schemas may stand on one table. */
function triggerName(name: string, stateSchema: string): string {
  return shortName(stateSchema === '_seg' ? name : `${name}_${stateSchema}`);
}

/** The triggers of an input's program, by name. */
export function emitProgramTriggers(table: RelationName, options: EmitOptions): Map<string, string> {
  const transitions = {
    insert: 'REFERENCING NEW TABLE AS _seg_new',
    update: 'REFERENCING OLD TABLE AS _seg_old NEW TABLE AS _seg_new',
    delete: 'REFERENCING OLD TABLE AS _seg_old',
  };
  const on = quoteRelation(table);
  const begin = quoteRelation(options.begin ?? { schema: options.stateSchema, name: ANNOUNCE });
  const triggers = new Map<string, string>();
  const add = (wanted: string, when: string, part: string): void => {
    const name = triggerName(wanted, options.stateSchema);
    triggers.set(
      name,
      `CREATE OR REPLACE TRIGGER ${quoteIdentifier(name)} ${when} FOR EACH STATEMENT EXECUTE FUNCTION ${part}()`,
    );
  };
  for (const event of tableEvents) {
    add(`seg_before_${event}`, `BEFORE ${event.toUpperCase()} ON ${on}`, begin);
    const after = `AFTER ${event.toUpperCase()} ON ${on} ${transitions[event]}`;
    add(`seg_${event}`, after, quoteRelation(options.functionName(event)));
  }
  add('seg_before_truncate', `BEFORE TRUNCATE ON ${on}`, begin);
  add('seg_truncate', `AFTER TRUNCATE ON ${on}`, quoteRelation(options.functionName('truncate')));
  return triggers;
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

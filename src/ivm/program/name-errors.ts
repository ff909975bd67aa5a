/**
 * A statement that fails because of a model must say which one, whoever wrote it: a program runs its steps in ONE block
 * that catches errors, and raises them again under the name of the view whose step ran, with the same SQLSTATE.
 *
 * One block for the whole program costs some 3 µs a statement (a subtransaction); one for each step would cost that many
 * times over. What no model is to blame for (conflicts between writers, cancelled statements, a full disk) passes unchanged.
 */
import { quoteLiteral } from '../../sql/quote.ts';
import type { StoredStage } from '../strategies/stored-stage.ts';
import type { InputProgram } from './program-data.ts';

/** Declarations of the function whose block is `namingErrors`. */
export const errorVariables = `  _seg_at integer := 0;
  _seg_message text;
  _seg_detail text;
  _seg_hint text;`;

/** The assignment that precedes what is done for a stage. */
export function atStage(program: InputProgram, { owner }: StoredStage): string {
  return `_seg_at := ${ownersOf(program).findIndex(({ title }) => title === owner.title) + 1};`;
}

/**
 * The steps within a block that names errors.
 * @param remedy what the message advises where PostgreSQL has no hint of its own
 */
export function namingErrors(program: InputProgram, steps: string, remedy: string): string {
  const owners = ownersOf(program);
  const pick = (texts: readonly string[]): string =>
    `(ARRAY[${texts.map(quoteLiteral).join(', ')}])[_seg_at]`;
  return `  BEGIN
${steps}
  EXCEPTION WHEN OTHERS THEN
    IF _seg_at = 0 OR left(SQLSTATE, 2) IN ('40', '53', '55', '57', '58') THEN RAISE; END IF;
    GET STACKED DIAGNOSTICS _seg_message = MESSAGE_TEXT, _seg_detail = PG_EXCEPTION_DETAIL, _seg_hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION USING
      ERRCODE = SQLSTATE,
      MESSAGE = ${pick(owners.map(({ title }) => title))} || ': ' || _seg_message,
      DETAIL = coalesce(nullif(_seg_detail, '') || E'\\n', '') || ${quoteLiteral(`It happened while the view followed a change of ${program.input.label}; nothing of the statement was kept.`)},
      HINT = coalesce(nullif(_seg_hint, ''), ${quoteLiteral(remedy)}),
      SCHEMA = ${pick(owners.map(({ schema }) => schema))},
      TABLE = ${pick(owners.map(({ name }) => name))};
  END;`;
}

/** The views that a program writes, each once. */
function ownersOf({ steps, beside }: InputProgram): StoredStage['owner'][] {
  const owners = [...steps, ...beside].map(({ stored }) => stored.owner);
  return [...new Map(owners.map((owner) => [owner.title, owner])).values()];
}

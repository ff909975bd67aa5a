/**
 * Several changes under way at once. One SQL statement may change several tables (WITH ... INSERT, cascades), or fire several
 * triggers on one (ON CONFLICT DO UPDATE, MERGE), and triggers and functions of the user's may run further statements within it:
 * each of seg's triggers then has a part of the change, while the tables hold all of it.
 *
 * `open` lists the statements that a BEFORE trigger has announced and whose AFTER trigger is still to come, each with its level
 * (state/begin-statement.ts). An AFTER trigger takes its own off, and looks at the others:
 *
 * A table's family (state/followed-tables.ts) counts as the table: all triggers of a program go by the name of its input.
 *
 * - The same table at another level: this statement runs within another one, whose rows are in the table, but not in any view. A
 *   difference would come before the one it rests on (the deletion of a row before its insertion). Nothing is done: the outer statement's
 *   trigger, which runs the same program, finds the table in `owed` and refreshes the views.
 * - Another input of the same views, or this table with a change that meets itself in a join: the views are refreshed, by this trigger and by
 *   all that follow until the list is empty (`whole`). A view that reads a changed table must not meet the state that stood before that
 *   change (it may divide by a count of rows that was zero), so stages of the other inputs under way that the view reads are refreshed first; and
 *   since such a stage finds nothing to do in its own table's trigger, that one refreshes all that rests on it.
 * - The same table at the same level, in a MERGE that changes rows of a partitioned table: once it has routed a row to a partition, PostgreSQL
 *   puts that row into the transition table in place of each row it updates (seen in 15 to 18). The views are refreshed.
 */
import { quoteLiteral, quoteRelation } from '../../sql/quote.ts';
import { OPEN, transactionSetting } from '../../state/begin-statement.ts';
import { AGAIN } from '../strategies/statement.ts';
import type { InputProgram } from './program-data.ts';

export function statementVariables(rereads: boolean, updates = false): string {
  return `  _seg_open text;
  _seg_level text;
  _seg_set text;
  _seg_whole boolean;
  _seg_owed boolean := false;${updates ? '\n  _seg_context text;' : ''}${rereads ? `\n  ${AGAIN} boolean;` : ''}`;
}

type Tables = InputProgram['related'];

/** SQL condition: whether a statement that changes one of the tables is under way. */
function isOpen(open: string, tables: Tables): string {
  const oids = tables.map((table) => `${quoteLiteral(quoteRelation(table))}::regclass`);
  return `EXISTS (
    SELECT FROM unnest(string_to_array(rtrim(${open}, ','), ',')) AS p WHERE split_part(p, '/', 1)::oid IN (${oids.join(', ')}))`;
}

/** The same of the statements that are under way when an AFTER trigger has taken its own off. */
export function othersOpen(stateSchema: string, tables: Tables): string {
  const open = `coalesce(current_setting(${quoteLiteral(transactionSetting(stateSchema, OPEN))}, true), '')`;
  return isOpen(open, tables);
}

interface Closing {
  /** SQL condition: whether the statement has changed a row. */
  readonly changed: string;
  /** Whether the table's change meets itself in a join. */
  readonly crossing: boolean;
  /** Whether groups may be read again. */
  readonly rereads: boolean;
  /** Whether the statement's new rows are those of an UPDATE. */
  readonly updates?: boolean;
  /** Whether it refreshes the views: then of all triggers that a statement fires on the table's family the last one does. */
  readonly last?: boolean;
}

/** The beginning of an AFTER trigger: goes on only where there is something to do, with `_seg_whole` set. */
export function closeStatement(
  program: InputProgram,
  stateSchema: string,
  { changed, crossing, rereads, updates, last }: Closing,
): string {
  const name = (setting: string): string => quoteLiteral(transactionSetting(stateSchema, setting));
  const [open, whole, owed, again] = [name(OPEN), name('whole'), name('owed'), name('again')];
  const input = `${quoteLiteral(quoteRelation(program.input.table))}::regclass::oid`;
  const others = [...(crossing ? [program.input.table] : []), ...program.related];
  const waits = last ? `'\\m' || ${input} || '/'` : `'\\m' || ${input} || '/(?!' || _seg_level || ',)'`;
  const ifOthers =
    others.length === 0
      ? ''
      : `
    IF ${changed} AND ${isOpen('_seg_open', others)} THEN
      _seg_whole := true;
      _seg_set := set_config(${whole}, 'on', true);
    END IF;`;
  // A statement that is called by a function is told by the context, but for those of functions in SQL.
  const ifMerged =
    updates === true
      ? `
    IF ${changed} AND _seg_open ~ ('\\m' || ${input} || '/' || _seg_level || ',')
      AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = TG_RELID AND c.relkind = 'p') THEN
      GET DIAGNOSTICS _seg_context = PG_CONTEXT;
      IF concat(current_query(), _seg_context) ~* '\\mmerge\\M|\\msql function' THEN
        _seg_whole := true;
        _seg_set := set_config(${whole}, 'on', true);
      END IF;
    END IF;`
      : '';
  const ifAgain = rereads
    ? `
  ${AGAIN} := coalesce(current_setting(${again}, true), '') = 'on';
  IF _seg_open = '' THEN
    IF ${AGAIN} THEN _seg_set := set_config(${again}, '', true); END IF;
  ELSIF ${changed} AND _seg_open ~ ('\\m' || ${input} || '/') THEN
    ${AGAIN} := true;
    _seg_set := set_config(${again}, 'on', true);
  END IF;`
    : '';
  return `  _seg_open := coalesce(current_setting(${open}, true), '');
  IF strpos(_seg_open, ',') = length(_seg_open) THEN
    _seg_open := '';
  ELSE
    _seg_level := (regexp_match(_seg_open, '.*\\m' || ${input} || '/(\\d+),'))[1];
    _seg_open := regexp_replace(_seg_open, '(.*)\\m' || ${input} || '/\\d+,', '\\1');
  END IF;
  _seg_set := set_config(${open}, _seg_open, true);
  _seg_whole := coalesce(current_setting(${whole}, true), '') = 'on';
  IF _seg_whole THEN
    _seg_owed := strpos(current_setting(${owed}, true), ',' || ${input} || ',') > 0;
  END IF;
  IF _seg_open = '' THEN
    IF _seg_whole THEN
      _seg_set := set_config(${whole}, '', true);
      _seg_set := set_config(${owed}, '', true);
    END IF;
  ELSE
    IF _seg_open ~ (${waits}) THEN
      IF ${changed} OR _seg_owed THEN
        _seg_set := set_config(${whole}, 'on', true);
        _seg_set := set_config(${owed}, concat(current_setting(${owed}, true), ',', ${input}, ','), true);
      END IF;
      RETURN NULL;
    END IF;${ifOthers}${ifMerged}
  END IF;${ifAgain}
  IF NOT (${changed} OR _seg_owed) THEN RETURN NULL; END IF;
`;
}

/** After a refresh: what other open statements have changed so far is in the views already, so theirs cannot be added. */
export function refreshedWhole(stateSchema: string): string {
  return `IF _seg_open <> '' THEN _seg_set := set_config(${quoteLiteral(transactionSetting(stateSchema, 'whole'))}, 'on', true); END IF;`;
}

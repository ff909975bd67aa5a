/**
 * Partitions and inheritance (sql/family.ts): the triggers of an input's program stand on its whole family. On a table below they are the
 * same as on the input itself; on a table above they refresh the views, since a trigger is not told which of the changed rows are the
 * input's. All of them are called with the input's name, by which the statements that are open are known (ivm/program/open-statements.ts).
 *
 * An event trigger keeps it so when the family changes, and refreshes the views when rows came or went with it.
 */
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { familySql } from '../sql/family.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { announceStatement, ANNOUNCE, transactionSetting, OPEN } from './begin-statement.ts';
import { WRITERS_LOCK } from './locks.ts';
import { DEPLOYING, refuseReplacement } from './read-views.ts';

/** The commands after which a family may be another one. */
const COMMANDS = [
  ...[
    'CREATE TABLE',
    'ALTER TABLE',
    'DROP TABLE',
    'CREATE FOREIGN TABLE',
    'ALTER FOREIGN TABLE',
    'DROP FOREIGN TABLE',
  ],
  ...['CREATE SCHEMA', 'DROP SCHEMA', 'IMPORT FOREIGN SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP SERVER'],
  ...['CREATE EXTENSION', 'DROP EXTENSION'],
];

/** Migration. */
export function followedTables(seg: string, stateSchema: string): string {
  const open = quoteLiteral(transactionSetting(stateSchema, OPEN));
  const whole = quoteLiteral(transactionSetting(stateSchema, 'whole'));
  return `
    -- The inputs of programs, by name, with the functions their triggers call. 'plain': some plan holds it for a table without children.
    CREATE TABLE ${seg}.followed (
      input text PRIMARY KEY,
      plain boolean NOT NULL,
      functions jsonb NOT NULL
    );
    -- The tables below and above them that bear the triggers of their programs.
    CREATE TABLE ${seg}.relative (
      input text NOT NULL,
      relation oid NOT NULL,
      above boolean NOT NULL,
      PRIMARY KEY (input, relation)
    );
    CREATE FUNCTION ${seg}.family_of(root oid) RETURNS TABLE (relation oid, above boolean) LANGUAGE sql STABLE
      SET search_path = pg_catalog, pg_temp AS $$ SELECT relation, above FROM ${familySql('root')} AS f $$;
    CREATE FUNCTION ${seg}.family_size(root oid) RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
      $$ SELECT (pg_relation_size(root) + coalesce(sum(pg_relation_size(f.relation)), 0))::bigint FROM ${seg}.family_of(root) AS f WHERE NOT f.above $$;
    -- Families that are not as their triggers stand.
    CREATE VIEW ${seg}.changed_family AS
      SELECT f.input,
        ARRAY(SELECT x.relation FROM ${seg}.family_of(to_regclass(f.input)) AS x WHERE NOT x.above
              EXCEPT SELECT r.relation FROM ${seg}.relative AS r WHERE r.input = f.input AND NOT r.above) AS came,
        EXISTS (SELECT FROM ${seg}.relative AS r WHERE r.input = f.input AND NOT r.above
                  AND r.relation NOT IN (SELECT x.relation FROM ${seg}.family_of(to_regclass(f.input)) AS x WHERE NOT x.above)) AS went
      FROM ${seg}.followed AS f
      WHERE to_regclass(f.input) IS NOT NULL AND EXISTS (
        (SELECT x.relation, x.above FROM ${seg}.family_of(to_regclass(f.input)) AS x
         EXCEPT SELECT r.relation, r.above FROM ${seg}.relative AS r WHERE r.input = f.input)
        UNION ALL
        (SELECT r.relation, r.above FROM ${seg}.relative AS r WHERE r.input = f.input
         EXCEPT SELECT x.relation, x.above FROM ${seg}.family_of(to_regclass(f.input)) AS x));
    CREATE FUNCTION ${seg}.trigger_of(input text, timing text, event text) RETURNS name LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
      $$ SELECT format('seg_of_%s_%s%s', left(md5(${quoteLiteral(stateSchema)} || input), 12), CASE timing WHEN 'BEFORE' THEN 'before_' ELSE '' END, lower(event))::name $$;
    -- Triggers that are to stand on the family of an input.
    CREATE FUNCTION ${seg}.triggers_of(of text) RETURNS TABLE (relation oid, name name, statement text) LANGUAGE sql STABLE
      SET search_path = pg_catalog, pg_temp AS $$
        SELECT x.relation, ${seg}.trigger_of(f.input, t.timing, e.event),
          format('CREATE OR REPLACE TRIGGER %I %s %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s(%L)', ${seg}.trigger_of(f.input, t.timing, e.event),
            t.timing, e.event, x.relation::regclass, CASE WHEN t.timing = 'AFTER' AND NOT x.above THEN e.transitions END,
            f.functions ->> CASE WHEN t.timing = 'BEFORE' THEN 'begin' WHEN x.above THEN 'truncate' ELSE lower(e.event) END, f.input)
        FROM ${seg}.followed AS f CROSS JOIN ${seg}.family_of(to_regclass(f.input)) AS x
          CROSS JOIN (VALUES ('BEFORE'), ('AFTER')) AS t (timing)
          CROSS JOIN (VALUES ('INSERT', 'REFERENCING NEW TABLE AS _seg_new'), ('UPDATE', 'REFERENCING OLD TABLE AS _seg_old NEW TABLE AS _seg_new'),
            ('DELETE', 'REFERENCING OLD TABLE AS _seg_old'), ('TRUNCATE', '')) AS e (event, transitions)
        WHERE f.input = of $$;
    -- The triggers of an input that stand on other tables.
    CREATE FUNCTION ${seg}.standing_triggers(of text) RETURNS TABLE (relation oid, name name, fires boolean) LANGUAGE sql STABLE
      SET search_path = pg_catalog, pg_temp AS $$
        SELECT t.tgrelid, t.tgname, t.tgenabled IN ('O', 'A')
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND t.tgname IN (
          SELECT ${seg}.trigger_of(of, timing, event)
          FROM unnest(ARRAY['BEFORE', 'AFTER']) AS timing, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS event) $$;
    -- Puts the triggers of an input on its family as it is; with 'anew' also those that stand.
    CREATE FUNCTION ${seg}.follow(of text, anew boolean) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        t record;
      BEGIN
        FOR t IN SELECT s.relation, s.name FROM ${seg}.standing_triggers(of) AS s
                 WHERE s.relation NOT IN (SELECT relation FROM ${seg}.triggers_of(of)) LOOP
          EXECUTE format('DROP TRIGGER %I ON %s', t.name, t.relation::regclass);
        END LOOP;
        FOR t IN SELECT w.statement FROM ${seg}.triggers_of(of) AS w
                 WHERE anew OR NOT EXISTS (
                   SELECT FROM ${seg}.relative AS r JOIN ${seg}.standing_triggers(of) AS s ON s.relation = r.relation AND s.name = w.name
                   WHERE r.input = of AND r.relation = w.relation
                     AND r.above = (SELECT x.above FROM ${seg}.family_of(to_regclass(of)) AS x WHERE x.relation = w.relation)) LOOP
          EXECUTE t.statement;
        END LOOP;
        DELETE FROM ${seg}.relative WHERE input = of;
        INSERT INTO ${seg}.relative SELECT of, x.relation, x.above FROM ${seg}.family_of(to_regclass(of)) AS x
        WHERE EXISTS (SELECT FROM ${seg}.followed AS f WHERE f.input = of);
      END $$;
    CREATE FUNCTION ${seg}.follow_families() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        f record;
        member oid;
        filled boolean;
        what text;
        answer text;
      BEGIN
        IF current_setting('${DEPLOYING}', true) = 'on' THEN RETURN; END IF;
        SELECT format('%s reads %s, which is %s', coalesce(r.title, 'a view'), w.input, CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' ELSE 'foreign' END
                 || CASE WHEN c.oid = to_regclass(w.input) THEN '' ELSE format(': %s', c.oid::regclass) END) INTO what
        FROM ${seg}.followed AS w
          JOIN LATERAL (SELECT to_regclass(w.input)::oid AS relation UNION ALL SELECT x.relation FROM ${seg}.family_of(to_regclass(w.input)) AS x) AS m ON true
          JOIN pg_class AS c ON c.oid = m.relation AND (c.relpersistence <> 'p' OR c.relkind NOT IN ('r', 'p'))
          LEFT JOIN ${seg}.read_column AS r ON r.relation = to_regclass(w.input)
        ORDER BY 1 LIMIT 1;
        IF what IS NOT NULL THEN
          RAISE EXCEPTION '%', what USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Changes to it, or the loss of its rows, could not be followed.';
        END IF;
        FOR f IN SELECT c.input, c.came, c.went, w.plain, w.functions FROM ${seg}.changed_family AS c JOIN ${seg}.followed AS w USING (input) ORDER BY 1 LOOP
          IF f.plain AND f.came <> '{}' AND EXISTS (
            SELECT FROM pg_class AS c WHERE c.oid = to_regclass(f.input) AND c.relkind = 'r' AND (
              EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique)
              OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attidentity = 'a')
              OR EXISTS (SELECT FROM ${seg}.relied_fact AS r WHERE r.relation = c.oid))) THEN
            RAISE EXCEPTION '% cannot have children: it is read by %', f.input,
                coalesce((SELECT string_agg(DISTINCT r.title, ', ') FROM ${seg}.read_column AS r WHERE r.relation = to_regclass(f.input)), 'a view')
              USING ERRCODE = 'dependent_objects_still_exist',
                HINT = 'How that is kept up to date was planned with a key that rows of children need not keep. Drop it, add the child, and make it anew.';
          END IF;
          PERFORM ${seg}.follow(f.input, false);
          filled := f.went;
          FOREACH member IN ARRAY f.came LOOP
            EXIT WHEN filled;
            EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s)', member::regclass) INTO filled;
            -- A snapshot of before may not have the rows.
            filled := filled OR (tg_tag <> 'CREATE TABLE' AND current_setting('transaction_isolation') <> 'read committed');
          END LOOP;
          CONTINUE WHEN NOT filled;
          IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'the tables below % can be changed in READ COMMITTED only: incremental views read it', f.input
              USING ERRCODE = 'feature_not_supported', HINT = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED.';
          END IF;
          IF answer IS NULL THEN
            PERFORM ${seg}.lock_inputs();
            PERFORM pg_advisory_xact_lock(${WRITERS_LOCK}, hashtext(${quoteLiteral(seg)}));
            answer := setval(${quoteLiteral(`${seg}.last_writer`)}::regclass, txid_current())::text;
          END IF;
          BEGIN
            EXECUTE format('SELECT %s(%s.begin_step())', f.functions ->> 'refresh', ${quoteLiteral(seg)});
            INSERT INTO ${seg}.step (epoch, at) SELECT epoch, clock_timestamp() FROM ${seg}.epoch ON CONFLICT DO NOTHING;
            IF coalesce(current_setting(${open}, true), '') <> '' THEN answer := set_config(${whole}, 'on', true); END IF;
          EXCEPTION WHEN undefined_table OR undefined_function OR undefined_column OR invalid_schema_name THEN
            -- Somebody has dropped a table with all that read it.
            NULL;
          END;
        END LOOP;
      END $$;
    ${announceStatement(stateSchema, { schema: stateSchema, name: ANNOUNCE })};
    ${refuseReplacement(seg)};
    -- Managed servers keep event triggers to themselves: there tables with relatives are refused (incremental/families.ts).
    DO $$ BEGIN
      CREATE EVENT TRIGGER ${quoteIdentifier(shortName('seg_follow_families', seg))} ON ddl_command_end
        WHEN TAG IN (${COMMANDS.map(quoteLiteral).join(', ')}) EXECUTE FUNCTION ${seg}.follow_families();
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END $$;`;
}

/** What of a program the triggers call. */
export interface FollowedTable {
  readonly table: RelationName;
  /** Whether a plan rests on its having no children. */
  readonly plain: boolean;
  readonly functionName: (part: string) => RelationName;
  readonly begin: RelationName;
}

/** Hangs a program on the family of its input; the triggers of the input itself are not its matter. */
export async function followTable(
  tx: Connection,
  stateSchema: string,
  { table, plain, functionName, begin }: FollowedTable,
): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const parts = ['insert', 'update', 'delete', 'truncate', 'refresh'];
  const functions = Object.fromEntries(parts.map((part) => [part, quoteRelation(functionName(part))]));
  await tx.query(
    `INSERT INTO ${seg}.followed (input, plain, functions) VALUES ($1, $2, $3::jsonb)
     ON CONFLICT (input) DO UPDATE SET plain = excluded.plain, functions = excluded.functions`,
    [quoteRelation(table), plain, JSON.stringify({ ...functions, begin: quoteRelation(begin) })],
  );
  await tx.query(`SELECT ${seg}.follow($1, true)`, [quoteRelation(table)]);
}

/** Takes the triggers off that are left. */
export async function unfollowTable(tx: Connection, stateSchema: string, table: RelationName): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const { rowCount } = await tx.query(`DELETE FROM ${seg}.followed WHERE input = $1`, [quoteRelation(table)]);
  if (rowCount !== 0) await tx.query(`SELECT ${seg}.follow($1, false)`, [quoteRelation(table)]);
}

/** Whether the triggers on an input's family stand and fire, and the family is as it was. */
export async function familyFires(
  tx: Connection,
  stateSchema: string,
  table: RelationName,
): Promise<boolean> {
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await tx.query<{ fires: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ${seg}.changed_family WHERE input = $1) AND NOT EXISTS (
       SELECT relation, name FROM ${seg}.triggers_of($1) EXCEPT SELECT relation, name FROM ${seg}.standing_triggers($1) WHERE fires) AS fires`,
    [quoteRelation(table)],
  );
  return rows[0]!.fires;
}

/** The first of some tables that has a family which nobody watches here: a role that may not create event triggers cannot. */
export async function unwatchedFamily(
  tx: Connection,
  stateSchema: string,
  tables: readonly RelationName[],
): Promise<string | undefined> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT name FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS t (name, place)
     WHERE EXISTS (SELECT FROM ${familySql('to_regclass(t.name)::oid')} AS f) AND NOT EXISTS (
       SELECT FROM pg_event_trigger AS e JOIN pg_proc AS p ON p.oid = e.evtfoid JOIN pg_namespace AS n ON n.oid = p.pronamespace
       WHERE n.nspname = $2 AND p.proname = 'follow_families' AND e.evtenabled IN ('O', 'A'))
     ORDER BY place LIMIT 1`,
    [JSON.stringify(tables.map(quoteRelation)), stateSchema],
  );
  return rows[0]?.name;
}

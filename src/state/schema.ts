/**
 * The schema seg owns in the user's database (`_seg`, or the target's `state_schema`). Migrations are numbered, run in
 * order, each once, and are only ever added to.
 */
import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts';
import { recentSnapshots } from './begin-statement.ts';
import { compilerTable } from './compiler.ts';
import { followedTables } from './followed-tables.ts';
import { inputLocks } from './input-locks.ts';
import { keyWatch } from './key-tables.ts';
import { WRITERS_LOCK } from './locks.ts';
import { readColumns } from './read-columns.ts';
import { readViews } from './read-views.ts';
import { reliedFacts } from './relied-facts.ts';
import { sinkSteps, sinkTables } from './sink-tables.ts';

/** One migration: its statements, for a given state schema (quoted, and as it is). */
type Migration = (seg: string, stateSchema: string) => string;

const migrations: readonly Migration[] = [
  (seg) => `
    -- The project's time. now() in a model reads it; it only moves forward.
    CREATE TABLE ${seg}.clock (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      "now" timestamptz NOT NULL
    );
    INSERT INTO ${seg}.clock ("now") VALUES (date_trunc('milliseconds', clock_timestamp()));
    CREATE FUNCTION ${seg}.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
      AS $$ SELECT "now" FROM ${seg}.clock $$;

    -- The number of the last step. A transaction that changes an input takes the next one, once; its row lock, held to
    -- commit, puts writers in line, so that numbers are committed in order and without gaps.
    CREATE TABLE ${seg}.epoch (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      epoch bigint NOT NULL,
      txid xid8
    );
    INSERT INTO ${seg}.epoch (epoch) VALUES (0);
    CREATE FUNCTION ${seg}.begin_step() RETURNS bigint LANGUAGE sql VOLATILE
      AS $$
        UPDATE ${seg}.epoch
        SET epoch = epoch + CASE WHEN txid = pg_current_xact_id() THEN 0 ELSE 1 END, txid = pg_current_xact_id()
        RETURNING epoch
      $$;

    -- Maintained views are written by their programs alone.
    CREATE FUNCTION ${seg}.refuse_write() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '"%" is maintained by seg and cannot be written to', TG_TABLE_NAME
          USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Write to the sources it is computed from.';
      END $$;

    -- What is deployed: one row a node, as it was when it was built.
    CREATE TABLE ${seg}.node (
      id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      unique_id text NOT NULL UNIQUE,
      name text NOT NULL,
      kind text NOT NULL,
      schema_name text NOT NULL,
      relation_name text NOT NULL,
      state_name text,
      definition text,
      reads text[] NOT NULL,
      columns jsonb NOT NULL,
      key text[] NOT NULL,
      fingerprint text NOT NULL,
      keep_changes boolean NOT NULL DEFAULT false,
      settings jsonb NOT NULL,
      deployed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    -- The maintenance program of each input table, so that an unchanged one is not made again.
    CREATE TABLE ${seg}.program (
      input text PRIMARY KEY,
      function_name text NOT NULL,
      relation text NOT NULL,
      checksum text NOT NULL
    );

    -- Change feeds: the consolidated difference of each step, for the nodes that keep one.
    CREATE TABLE ${seg}.changelog (
      epoch bigint NOT NULL,
      node integer NOT NULL,
      weight integer NOT NULL,
      "row" jsonb NOT NULL
    );
    CREATE INDEX changelog_by_node ON ${seg}.changelog (node, epoch);
    CREATE TABLE ${seg}.step (
      epoch bigint PRIMARY KEY,
      at timestamptz NOT NULL
    );`,
  (seg) => `
    -- How each maintained view is kept: its stages, as planned when it was built.
    CREATE TABLE ${seg}.plan (
      view text PRIMARY KEY,
      node integer GENERATED ALWAYS AS IDENTITY (START WITH 1000000),
      plan json NOT NULL
    );
    -- Indexes that maintenance made on relations of others, and for whom.
    CREATE TABLE ${seg}.derived_index (
      view text NOT NULL,
      schema_name text NOT NULL,
      index_name text NOT NULL,
      PRIMARY KEY (view, schema_name, index_name)
    );
    -- Notes that a statement is changing a table, until its AFTER trigger has run (ivm/program/emit-program.ts).
    CREATE FUNCTION ${seg}.begin_statement() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM set_config('seg.pending', coalesce(current_setting('seg.pending', true), '') || TG_RELID::text || ',', true);
        RETURN NULL;
      END $$;`,
  (seg) => `
    -- Which schema the deployment that is described here goes into (state/claim.ts).
    CREATE TABLE ${seg}.target (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      schema_name text NOT NULL
    );`,
  (seg) => `
    -- Writers of any input take turns from their first statement on, before they touch a row: one that waited for its turn
    -- only when it is to be maintained would hold rows that the one whose turn it is may need (a deadlock).
    -- Assigned and not PERFORMed: an expression runs without the executor.
    CREATE OR REPLACE FUNCTION ${seg}.begin_statement() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        answer text;
      BEGIN
        answer := pg_advisory_xact_lock(${WRITERS_LOCK}, hashtext(${quoteLiteral(seg)}))::text;
        answer := set_config('seg.pending', coalesce(current_setting('seg.pending', true), '') || TG_RELID::text || ',', true);
        RETURN NULL;
      END $$;
    -- Whoever follows a feed on a server hears of each step that has changes for one.
    CREATE FUNCTION ${seg}.announce_step() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify(${quoteLiteral(seg)}, '');
        RETURN NULL;
      END $$;
    CREATE TRIGGER announce AFTER INSERT ON ${seg}.step FOR EACH STATEMENT EXECUTE FUNCTION ${seg}.announce_step();`,
  sinkTables,
  readColumns,
  (seg) => `
    -- What an index is on, so that one that begins with the columns of another takes its place (incremental/derive-indexes.ts).
    ALTER TABLE ${seg}.derived_index ADD COLUMN definition text;`,
  reliedFacts,
  readViews,
  recentSnapshots,
  inputLocks,
  keyWatch,
  followedTables,
  compilerTable,
  sinkSteps,
];

/**
 * Brings the state schema to this version of seg; cheap when it is there. Run it inside the transaction that uses it.
 * @throws SegError SEG806 when the schema was made by a newer seg
 */
export async function ensureState(tx: Connection, schema: string): Promise<void> {
  const seg = quoteIdentifier(schema);
  const done = await checkStateVersion(tx, schema);
  if (done === migrations.length) return;
  await tx.exec(`
    CREATE SCHEMA IF NOT EXISTS ${seg};
    CREATE TABLE IF NOT EXISTS ${seg}.migration (
      version integer PRIMARY KEY,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );`);
  for (const [index, migration] of migrations.entries()) {
    if (index < done) continue;
    await tx.exec(migration(seg, schema));
    await tx.query(`INSERT INTO ${seg}.migration (version) VALUES ($1)`, [index + 1]);
  }
}

/**
 * The version of the state schema that is there; 0 when there is none.
 * @throws SegError SEG806 when the schema was made by a newer seg, whose tables this one would misread
 */
export async function checkStateVersion(connection: Connection, schema: string): Promise<number> {
  const done = await stateVersion(connection, schema);
  if (done > migrations.length) {
    throw segError('SEG806', `the state schema "${schema}" is of a newer version of seg (${done})`, {
      hint: `This seg knows versions up to ${migrations.length}: upgrade it.`,
    });
  }
  return done;
}

/** The version of the state schema that is there; 0 when there is none. */
export async function stateVersion(connection: Connection, schema: string): Promise<number> {
  const { rows } = await connection.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${quoteIdentifier(schema)}.migration`,
  ]);
  if (rows[0]?.there !== true) return 0;
  const result = await connection.query<{ version: number }>(
    `SELECT coalesce(max(version), 0) AS version FROM ${quoteIdentifier(schema)}.migration`,
  );
  return result.rows[0]?.version ?? 0;
}

/** A comment seg leaves on what it makes, so that a person in psql finds home. */
export function commentOn(kind: string, object: string, text: string): string {
  return `COMMENT ON ${kind} ${object} IS ${quoteLiteral(text)};`;
}

/** Migration: the keys that are watched, and their values that several rows have (duplicate-keys.ts). */

/** @param seg the state schema, quoted */
export const keyWatch = (seg: string): string => `
    -- Models whose unique_key does not follow from their query: triggers on what is stored note its values that are in several rows
    -- (deploy/watch-keys.ts). A state between since and until has them; those of now have no until.
    CREATE TABLE ${seg}.watched_key (
      node integer PRIMARY KEY,
      checksum text NOT NULL,
      function_name text NOT NULL
    );
    CREATE TABLE ${seg}.duplicate_key (
      node integer NOT NULL,
      hash bigint NOT NULL,
      key text NOT NULL,
      since bigint NOT NULL,
      until bigint
    );
    CREATE UNIQUE INDEX duplicate_key_now ON ${seg}.duplicate_key (node, hash) WHERE until IS NULL;
    CREATE INDEX duplicate_key_then ON ${seg}.duplicate_key (node, until) WHERE until IS NOT NULL;`;

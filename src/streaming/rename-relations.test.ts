import { expect, it } from 'vitest';
import { renameRelations } from './rename-relations.ts';

const renames = new Map([
  ['"s"."events"', '"s"."events__new"'],
  ['"s"."it""s"', '"s"."other"'],
]);

it('replaces whole names, and nothing in strings and comments', () => {
  expect(
    renameRelations(
      `select e."events", '"s"."events"', $$ "s"."events" $$ -- "s"."events"
from "s"."events" as e join "s" . "events" on "s"."events2" /* "s"."events" */ join "s"."it""s" on 'it''s "s"."events"'`,
      renames,
    ),
  ).toBe(
    `select e."events", '"s"."events"', $$ "s"."events" $$ -- "s"."events"
from "s"."events__new" as e join "s" . "events" on "s"."events2" /* "s"."events" */ join "s"."other" on 'it''s "s"."events"'`,
  );
});

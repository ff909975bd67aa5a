// The project of the rounds: records with a key, kept as they are, summed, and joined.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const files = {
  'dbt_project.yml': 'name: chaos\nprofile: chaos\nconfig-version: 2\n',
  'profiles.yml':
    'chaos:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: data/db, schema: chaos, threads: 1}\n',
  'models/sources.yml': `
sources:
  - name: events
    schema: chaos
    tables:
      - name: events
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: bigint}
          - {name: user_id, data_type: text}
          - {name: amount, data_type: integer}
          - {name: payload, data_type: text}
`,
  'models/log.sql': `{{ config(materialized='materialized_view', unique_key='id') }}
select id, user_id, payload from {{ source('events', 'events') }}`,
  'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='user_id') }}
select user_id, count(*) as events, sum(amount) as amount from {{ source('events', 'events') }} group by user_id`,
  'models/rich.sql': `{{ config(materialized='materialized_view', unique_key='user_id') }}
select user_id, amount from {{ ref('totals') }} where amount > 100`,
};

export function writeRoundsProject(root) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

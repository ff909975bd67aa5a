// The project that is killed, and what must hold of its receivers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const files = {
  'dbt_project.yml': 'name: chaos\nprofile: chaos\nconfig-version: 2\n',
  'profiles.yml':
    'chaos:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: data, schema: chaos, threads: 1}\n',
  'models/sources.yml': `
sources:
  - name: events
    tables:
      - name: events
        config: {key: event_id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: event_id, data_type: integer}
          - {name: user_id, data_type: text}
          - {name: amount, data_type: integer}
`,
  'models/arrivals.sql': `{{ config(materialized='materialized_view', unique_key='event_id') }}
select event_id, user_id from {{ source('events', 'events') }}`,
  'models/log.sql': `{{ config(materialized='materialized_view') }}
select event_id, user_id, amount from {{ source('events', 'events') }}`,
  'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='user_id') }}
select user_id, count(*) as events, sum(amount) as amount from {{ source('events', 'events') }} group by user_id`,
  'models/odd.sql': `{{ config(materialized='materialized_view', unique_key='user_id') }}
select user_id, count(*) as events from {{ source('events', 'events') }} group by user_id having count(*) % 2 = 1`,
  'models/sinks.yml': `
sinks:
  - {name: pg_totals, from: totals, type: postgres, guard: false, config: {connection: "{{ env_var('CHAOS_POSTGRES') }}", schema: "{{ env_var('CHAOS_SCHEMA') }}", table: totals}}
  - {name: pg_odd, from: odd, type: postgres, mode: mirror, guard: false, config: {connection: "{{ env_var('CHAOS_POSTGRES') }}", schema: "{{ env_var('CHAOS_SCHEMA') }}", table: odd}}
  - {name: pg_log, from: log, type: postgres, mode: insert_only, config: {connection: "{{ env_var('CHAOS_POSTGRES') }}", schema: "{{ env_var('CHAOS_SCHEMA') }}", table: log, batch_size: 20}}
  - {name: lake, from: events, type: file, backfill: true, config: {path: lake, max_seconds: 0.2, partition_by: user_id}}
  - {name: odd_changes, from: odd, type: file, backfill: true, config: {path: odd_changes, max_seconds: 0.1, compress: none}}
  - {name: hook, from: arrivals, type: webhook, backfill: true, config: {url: "{{ env_var('CHAOS_HOOK') }}", batch_size: 15, timeout: 2}}
  - {name: hook_totals, from: totals, type: webhook, backfill: true, config: {url: "{{ env_var('CHAOS_HOOK') }}/totals", per: change, timeout: 2}}
`,
};

export function writeProject(root) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** Event n: users come back often, so that totals change again and again. */
export function event(n) {
  return { event_id: n, user_id: `user-${(n * 7919) % 97}`, amount: n % 13 };
}

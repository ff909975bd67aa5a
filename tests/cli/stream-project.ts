import { TestProject } from './run-seg.ts';

/** A small project whose source takes the stream `segment_events`: what the tests of whole processes run. */
export function streamProject(): TestProject {
  return new TestProject({
    'dbt_project.yml': 'name: stream\nversion: "1.0"\nconfig-version: 2\nprofile: stream\n',
    'profiles.yml': [
      'stream:',
      '  target: dev',
      '  outputs:',
      '    dev: {type: pglite, path: .seg/data, schema: stream, threads: 1}',
      '',
    ].join('\n'),
    'models/schema.yml': [
      'sources:',
      '  - name: events',
      '    tables:',
      '      - name: segment_events',
      '        config: {key: event_id}',
      '        columns:',
      '          - {name: position, data_type: bigint, generated: position}',
      '          - {name: event_id, data_type: uuid, path: event}',
      '          - {name: user_id, data_type: text, path: user}',
      '          - {name: vendor, data_type: integer, path: segment.vendor}',
      '',
    ].join('\n'),
    'models/arrivals.sql': `{{ config(materialized='materialized_view', unique_key='event_id', changelog=true) }}
select event_id, user_id, position from {{ source('events', 'segment_events') }}
`,
    'models/by_user.sql': `{{ config(materialized='materialized_view', unique_key='user_id') }}
select user_id, count(*) as events from {{ ref('arrivals') }} group by user_id
`,
  });
}

/** NDJSON of events that are told apart by their number. */
export function events(from: number, count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return JSON.stringify({
      event: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      timestamp: '2024-01-01T00:00:00Z',
      user: `user-${number % 7}`,
      segment: { vendor: 1, name: 'a' },
    });
  });
  return `${lines.join('\n')}\n`;
}

// Writes a project of any size, for measuring: node scripts/generate-project.mjs FOLDER [--models 500]
//
// Fifty models hang on each source, in four layers: a plain view that stages it, filters, sums by user, joins of two sums.
// Every model has one generic test. The same size always gives the same files.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const perSource = 50;

const { values, positionals } = parseArgs({
  options: { models: { type: 'string', default: '500' } },
  allowPositionals: true,
});
const folder = positionals[0];
const count = Number(values.models);
if (folder === undefined || !Number.isInteger(count) || count < 1) {
  process.stderr.write('usage: node scripts/generate-project.mjs FOLDER [--models 500]\n');
  process.exit(2);
}

const files = new Map();
files.set(
  'dbt_project.yml',
  `name: generated
version: 1.0.0
config-version: 2
profile: generated
models:
  generated:
    +materialized: materialized_view
    staging:
      +materialized: view
`,
);
files.set(
  'profiles.yml',
  `generated:
  target: dev
  outputs:
    dev: {type: pglite, path: "{{ env_var('SEG_DATA', '.seg/data') }}", schema: generated}
`,
);

for (let source = 0, left = count; left > 0; source++, left -= perSource) {
  addSource(source, Math.min(left, perSource));
}
for (const [path, text] of files) {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

function addSource(source, models) {
  files.set(
    `models/events_${source}.yml`,
    `sources:
  - name: events
    tables:
      - name: events_${source}
        config: {key: id, format: json}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: bigint}
          - {name: user_id, data_type: text, path: user.id}
          - {name: amount, data_type: numeric}
          - {name: at, data_type: timestamptz}
`,
  );
  const properties = [];
  const filters = [];
  const sums = [];
  for (let i = 0; i < models; i++) {
    let name, sql, key;
    if (i === 0) {
      name = `stg_events_${source}`;
      key = 'id';
      sql = `select position, id, lower(user_id) as user_id, amount, at\nfrom {{ source('events', 'events_${source}') }}\nwhere user_id is not null\n`;
    } else if (i % 2 === 1) {
      name = `filtered_${source}_${i}`;
      key = 'id';
      const from = filters.length % 4 === 0 ? `stg_events_${source}` : filters.at(-1);
      sql = `select id, user_id, amount, at\nfrom {{ ref('${from}') }}\nwhere amount > {{ ${i} / 10 }}\n`;
      filters.push(name);
    } else if (i % 4 === 2) {
      name = `totals_${source}_${i}`;
      key = 'user_id';
      sql = `select user_id, sum(amount) as amount, count(*) as events, max(at) as last_at\nfrom {{ ref('${filters.at(-1)}') }}\ngroup by user_id\n`;
      sums.push(name);
    } else {
      name = `joined_${source}_${i}`;
      key = 'user_id';
      sql = `select a.user_id, a.amount - b.amount as difference, a.events\nfrom {{ ref('${sums.at(-1)}') }} as a\njoin {{ ref('${sums[0]}') }} as b on b.user_id = a.user_id\n`;
    }
    files.set(`models/${i === 0 ? 'staging' : `area_${source}`}/${name}.sql`, sql);
    properties.push(
      `  - name: ${name}`,
      `    description: A generated model`,
      `    columns:`,
      `      - name: ${key}`,
      `        data_tests: [${key === 'id' ? 'not_null' : 'unique'}]`,
    );
  }
  files.set(`models/area_${source}/area_${source}.yml`, `models:\n${properties.join('\n')}\n`);
}

/** The project that `seg init` writes: a shop whose revenue follows its orders. */
import { MODEL_FILES } from './model-files.ts';
import { TEST_FILES } from './test-files.ts';

/** Text by path relative to the new folder, in the order it is written. */
export function projectFiles(name: string, options: { readonly profile: boolean }): Map<string, string> {
  const files = new Map<string, string>([
    ['dbt_project.yml', projectFile(name)],
    ...(options.profile ? [['profiles.yml', profileFile(name)] as const] : []),
    ['.gitignore', 'target/\nlogs/\n.seg/\n'],
    ['README.md', readme(name)],
    ...Object.entries(MODEL_FILES),
    ...Object.entries(TEST_FILES),
  ]);
  return files;
}

function projectFile(name: string): string {
  return `name: ${name}
version: "1.0.0"
config-version: 2
profile: ${name}

model-paths: [models]
seed-paths: [seeds]
test-paths: [tests]
macro-paths: [macros]
clean-targets: [target, logs]

models:
  ${name}:
    # A maintained view is brought up to date in the transaction that changes what it reads.
    +materialized: materialized_view
    staging:
      +materialized: view
`;
}

function profileFile(name: string): string {
  return `${name}:
  target: dev
  outputs:
    # An embedded database in a folder of the project. SEG_DATA moves it.
    dev:
      type: pglite
      path: "{{ env_var('SEG_DATA', '.seg/data') }}"
      schema: ${name}
      threads: 4
    # The same engine in memory, gone when the command ends.
    memory:
      type: pglite
      path: memory
      schema: ${name}
      threads: 4
`;
}

function readme(name: string): string {
  return `# ${name}

A seg project: events come into a source, SQL models follow them at once.

    seg build                                  # seeds, models, tests, a scenario
    seg ingest orders data/orders.ndjson       # five orders, one of them twice, one cancelled
    seg show --select revenue                  # what the shop has earned by product
    seg subscribe revenue                      # the same, and then each change as it happens

| file | what it is |
| --- | --- |
| \`models/sources.yml\` | the stream that comes in: its columns, its key |
| \`seeds/products.csv\` | prices; edit them and run \`seg seed\`: every view is right at once |
| \`models/staging/stg_orders.sql\` | a plain view |
| \`models/revenue.sql\` | a maintained view with a change feed |
| \`models/recent_orders.sql\` | rows that leave by time passing: \`seg clock '+2 hours'\` |
| \`models/schema.yml\`, \`models/unit_tests.yml\`, \`tests/\` | tests of four kinds |

\`seg --help\` lists all commands.
`;
}

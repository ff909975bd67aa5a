import type { CommandDefinition } from './command-definition.ts';
import { outputFlag } from './output-flag.ts';
import { SELECTION_FLAGS } from './selection-flags.ts';

const STREAMS = ['segment_events', 'activity_events', 'track_events', 'pageviews'];

/** The commands that bring data in, follow it, and check it. */
export const STREAM_COMMANDS: readonly CommandDefinition[] = [
  {
    name: 'ingest',
    group: 'Stream:',
    summary: 'bring records from a file or a pipe into a source',
    description:
      'Records are NDJSON or CSV, plain or gzip, validated against the schema of the source. A bad record goes to the ' +
      'table <source>__rejected with line, reason and payload; a key that is there already is dropped and counted.',
    arguments: [
      { syntax: '<source>', help: 'source.table, or the table alone' },
      { syntax: '[file]', help: 'file to read, "-" for standard input (the default)' },
    ],
    flags: [
      {
        name: 'format',
        kind: 'string',
        argument: 'form',
        choices: ['json', 'csv'],
        help: 'form of the records; else by the name of the file, else what the source declares',
      },
      { name: 'strict', kind: 'boolean', help: 'exit with 1 when a record was rejected' },
      { name: 'batch-size', kind: 'integer', argument: 'n', help: 'most records in one transaction' },
    ],
    examples: [
      'seg ingest segment.segment_events events.ndjson.gz',
      'tail -f events.ndjson | seg ingest segment_events',
    ],
    load: async () => (await import('./commands/ingest.ts')).ingest,
  },
  {
    name: 'rejected',
    group: 'Stream:',
    summary: 'list, show, ingest again or drop the records that sources have refused',
    description:
      '"replay" ingests them again after the source or a model was corrected: what is accepted leaves <source>__rejected, what is ' +
      'refused stays, in one transaction for each batch. Also through a running "seg serve".',
    arguments: [
      { syntax: '[action]', help: 'list (the default), show, replay or drop' },
      { syntax: '[selection...]', help: 'sources by name, source:x, tag:x; replay and drop need one' },
    ],
    flags: [
      ...SELECTION_FLAGS,
      { name: 'since', kind: 'string', argument: 'instant', help: 'only what was rejected then or later' },
      { name: 'until', kind: 'string', argument: 'instant', help: 'only what was rejected before' },
      { name: 'reason', kind: 'string', argument: 'text', help: 'only where the reason contains this' },
      { name: 'origin', kind: 'string', argument: 'name', help: 'only from this file, or stdin, or http' },
      {
        name: 'limit',
        kind: 'integer',
        argument: 'n',
        help: 'at most so many, the oldest first (show: 20, the others: all)',
      },
      {
        name: 'header',
        kind: 'list',
        argument: 'names',
        help: 'replay: the fields of records that are lines of CSV',
      },
      { name: 'strict', kind: 'boolean', help: 'replay: exit with 1 when a record is refused again' },
      outputFlag('table', 'json', 'csv'),
    ],
    examples: [
      'seg rejected',
      "seg rejected show orders --reason 'not JSON' -o json",
      'seg rejected replay orders --since 2026-01-31',
      'seg rejected drop orders --until 2026-01-01',
    ],
    load: async () => (await import('./commands/rejected.ts')).rejected,
  },
  {
    name: 'generate',
    group: 'Stream:',
    summary: 'make events like real ones, to stdout or into the engine',
    description:
      'The same seed makes the same events. With --rate they happen now, at a steady pace, until --count or Ctrl-C.',
    arguments: [{ syntax: '<stream>', help: STREAMS.join(', ') }],
    flags: [
      {
        name: 'format',
        kind: 'string',
        argument: 'form',
        choices: ['json', 'csv'],
        default: 'json',
        help: 'NDJSON or CSV',
      },
      {
        name: 'count',
        kind: 'integer',
        argument: 'n',
        help: 'how many events (default: 1000; with --rate endless)',
      },
      { name: 'seed', kind: 'integer', argument: 'n', default: 1, help: 'same seed, same events' },
      {
        name: 'rate',
        kind: 'integer',
        argument: 'n',
        help: 'events per second; as fast as possible without',
      },
      {
        name: 'into',
        kind: 'string',
        argument: 'source',
        help: 'ingest into this source instead of printing',
      },
      {
        name: 'start',
        kind: 'string',
        argument: 'instant',
        help: 'time of the first event (default: 2024-01-01T00:00:00Z)',
      },
      {
        name: 'segments',
        kind: 'integer',
        argument: 'n',
        help: 'segment_events: how many segments there are (default: 10000)',
      },
      {
        name: 'users',
        kind: 'integer',
        argument: 'n',
        help: 'how many users there are (default: 10000; segment_events: 1000000)',
      },
      {
        name: 'skew',
        kind: 'string',
        argument: 's',
        help: 'segment_events: exponent of the Zipf distribution of segments (default: 1.1)',
      },
      {
        name: 'repeat',
        kind: 'string',
        argument: 'share',
        help: 'segment_events: share of events that repeat an earlier one (default: 0.4)',
      },
      {
        name: 'bots',
        kind: 'string',
        argument: 'share',
        help: 'segment_events: share of events made by bots (default: 0.02)',
      },
    ],
    examples: [
      'seg generate segment_events --count 100000 > events.ndjson',
      'seg generate segment_events --into segment_events --rate 500',
    ],
    load: async () => (await import('./commands/generate.ts')).generate,
  },
  {
    name: 'serve',
    group: 'Stream:',
    summary: 'hold the database and serve it: HTTP, change feeds, the Postgres protocol, the clock',
    description:
      'Takes records over HTTP and WebSocket, answers reads of every model, streams changes as Server-Sent Events, speaks the ' +
      'Postgres wire protocol, moves the project clock and runs the sinks. Other seg commands find it by itself and go ' +
      'through it. Ctrl-C finishes what is under way and ends with 0. A selection is one of sinks: the others do not run.',
    flags: [
      {
        name: 'host',
        kind: 'string',
        argument: 'address',
        default: '127.0.0.1',
        help: 'where to listen; beyond loopback only with tokens',
        env: true,
      },
      {
        name: 'port',
        kind: 'integer',
        argument: 'n',
        default: 8080,
        help: 'HTTP port; 0 takes any free one',
        env: true,
      },
      {
        name: 'pg-port',
        kind: 'integer',
        argument: 'n',
        default: 5433,
        help: 'port of the Postgres protocol; 0 takes any free one',
        env: true,
      },
      {
        name: 'tls-cert',
        kind: 'string',
        argument: 'file',
        help: 'certificate (PEM, with its chain) for HTTPS and TLS on the Postgres port; taken anew when the file changes',
        env: true,
      },
      {
        name: 'tls-key',
        kind: 'string',
        argument: 'file',
        help: 'its private key (PEM, without a passphrase)',
        env: true,
      },
      ...SELECTION_FLAGS,
      { name: 'sinks', kind: 'boolean', default: true, help: 'do not run the sinks' },
      { name: 'pg', kind: 'boolean', default: true, help: 'do not speak the Postgres protocol' },
      {
        name: 'pg-idle-timeout',
        kind: 'integer',
        argument: 'seconds',
        default: 30,
        help: 'how long a Postgres client may be idle in a transaction, which keeps everybody else waiting',
      },
      {
        name: 'read-timeout',
        kind: 'integer',
        argument: 'seconds',
        default: 30,
        help: 'how long a statement of a reader may take on an embedded database, which keeps everybody else waiting; 0: no limit',
      },
      {
        name: 'clock-interval',
        kind: 'string',
        argument: 'seconds',
        default: '1',
        help: 'how often the project clock is moved to the present; 0: never',
      },
      {
        name: 'max-pending',
        kind: 'integer',
        argument: 'n',
        default: 50000,
        help: 'records of a source that may wait; more are answered with 429',
      },
    ],
    examples: ['seg serve', 'seg serve --port 9000 --clock-interval 0', 'seg serve --exclude tag:mirror'],
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'subscribe',
    group: 'Stream:',
    summary: 'print a model and then its changes, as they are committed',
    description:
      'One JSON object a line: first the rows there are ("op": "snapshot"), then every insert, update and delete, whichever ' +
      'process commits it. Lines of one position are one step, its last line says "last": true; --from goes on behind it. ' +
      'Ends with Ctrl-C.',
    arguments: [
      { syntax: '[model]', help: 'name of a maintained model, or of a test that stores its failures' },
    ],
    flags: [
      {
        name: 'snapshot',
        kind: 'boolean',
        default: true,
        help: 'begin with the changes, not with what is there',
      },
      {
        name: 'from',
        kind: 'string',
        argument: 'position',
        help: 'go on behind a position that was printed earlier',
      },
      { name: 'follow', kind: 'boolean', default: true, help: 'stop at the end of what has happened so far' },
      {
        name: 'inline',
        kind: 'string',
        argument: 'sql',
        help: 'follow a query instead of a model, for as long as this command runs (with seg serve, or on PostgreSQL)',
      },
      {
        name: 'until',
        kind: 'string',
        argument: 'position',
        help: 'end when everything up to this position was printed',
      },
      {
        name: 'where',
        kind: 'string',
        argument: 'sql',
        help: 'only rows that satisfy this condition; one that begins to is an insert, one that ceases to a delete',
      },
      { name: 'columns', kind: 'list', argument: 'names', help: 'only these columns, and changes of them' },
      outputFlag('ndjson', 'table', 'csv'),
    ],
    examples: [
      'seg subscribe segment_toggles',
      'seg subscribe user_alerts --no-snapshot | ./notify',
      "seg subscribe segment_sizes --where 'members > 100' --columns vendor,segment,members -o table",
    ],
    load: async () => (await import('./commands/subscribe.ts')).subscribe,
  },
  {
    name: 'sync',
    group: 'Stream:',
    summary: 'send what has changed to the sinks of the project',
    description:
      'Sends to the selected sinks (all of them without a selection) what has changed since they were last run, and ends; ' +
      'with --follow goes on until Ctrl-C. "seg sync status" shows how sinks are, their last runs and what was rejected. ' +
      'Exit code 1 when a receiver fails or the guard holds a sink.',
    arguments: [{ syntax: '[selection...]', help: 'names of sinks, tag:x, sink:x, or "status"' }],
    argumentsSelect: true,
    flags: [
      ...SELECTION_FLAGS,
      { name: 'once', kind: 'boolean', help: 'send what there is and end (the default)' },
      { name: 'follow', kind: 'boolean', help: 'go on sending until Ctrl-C' },
      {
        name: 'dry-run',
        kind: 'boolean',
        help: 'show samples of what would be sent, with their bodies, and send nothing',
      },
      {
        name: 'full-resync',
        kind: 'boolean',
        help: 'send everything again, and delete there what is gone here',
      },
      { name: 'confirm', kind: 'boolean', help: 'go on where the guard of a sink has stopped it' },
      { name: 'retry-rejected', kind: 'boolean', help: 'send only what was rejected before' },
      {
        name: 'drop-rejected',
        kind: 'boolean',
        help: 'forget what was rejected instead of sending it again',
      },
      {
        name: 'key',
        kind: 'string',
        argument: 'key',
        help: 'with --drop-rejected: only this one, as shown by status',
      },
      { name: 'strict', kind: 'boolean', help: 'exit with 1 when a record was rejected' },
      {
        name: 'limit',
        kind: 'integer',
        argument: 'n',
        default: 10,
        help: 'with status: how many runs and rejections',
      },
      outputFlag('table', 'json', 'csv'),
    ],
    examples: ['seg sync', 'seg sync crm_mqls --dry-run', 'seg sync --follow', 'seg sync status'],
    load: async () => (await import('./commands/sync.ts')).sync,
  },
  {
    name: 'clock',
    group: 'Stream:',
    summary: 'show or move the project clock, which {{ now() }} reads',
    description:
      'Prints the time that {{ now() }} gives; moving it brings every model that depends on it up to date.',
    arguments: [
      { syntax: '[instant]', help: 'an ISO 8601 time, "now", or a step like "+30 minutes"; forward only' },
    ],
    flags: [
      {
        name: 'confirm',
        kind: 'boolean',
        help: 'move it even more than an hour ahead of the present: nothing brings it back',
      },
    ],
    examples: ['seg clock', 'seg clock 2023-11-30T00:00:00Z', `seg clock '+30 minutes'`],
    load: async () => (await import('./commands/clock.ts')).clock,
  },
  {
    name: 'verify',
    group: 'Stream:',
    summary: 'compare every maintained view with its recomputation',
    description:
      'Computes every maintained view anew and compares, row by row. Exit code 1 when one differs.',
    examples: ['seg verify', 'seg verify --select models/mql'],
    flags: [...SELECTION_FLAGS, outputFlag('text', 'table', 'json', 'csv')],
    load: async () => (await import('./commands/verify.ts')).verify,
  },
];

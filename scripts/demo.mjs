// The main job on the embedded engine, command by command as a user would type it: build the project, stream events
// in, test and verify, look at the answers, let time pass. Run it again: what was ingested is recognised and dropped.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// `npm install` has built seg already, unless it was told to run no scripts.
if (!existsSync(new URL('../dist/cli/main.js', import.meta.url))) {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// One process for all commands, which would otherwise each start Node and load the same code.
const { runCommandLine } = await import('../dist/cli/run-command-line.js');
const { version } = await import('../dist/version.js');

const terminal = process.stdout.isTTY === true;
const colors = terminal && !process.env.NO_COLOR;
const paint = (code, text) => (colors ? `\x1b[${code}m${text}\x1b[0m` : text);
const started = performance.now();
const interrupted = new AbortController();
process.on('SIGINT', () => (interrupted.signal.aborted ? process.exit(130) : interrupted.abort()));

function title(text) {
  console.log(`\n${paint('1;36', `── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`)}`);
}

/** Of a long list of nodes only the last line is shown, kept up to date on a terminal. */
let pending = false;
function log(text) {
  for (const line of text.split(/(?<=\n)/)) {
    if (pending) process.stdout.write('\r\x1b[2K');
    pending = / \d+ of \d+ .*(START|OK|PASS) /.test(line);
    if (!pending && !/Previewing inline node/.test(line)) process.stderr.write(line);
    else if (pending && terminal)
      process.stdout.write(line.trimEnd().slice(0, (process.stdout.columns ?? 100) - 1));
    pending &&= terminal;
  }
}

async function run(...args) {
  const shown = args.map((arg) => (/^[\w./:=+@-]+$/.test(arg) ? arg : `"${arg}"`)).join(' ');
  console.log(paint('1', `$ seg ${shown}`));
  const status = await runCommandLine(args, version, {
    env: process.env,
    cwd: root,
    stdin: process.stdin,
    writeOut: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    writeError: log,
    outIsTerminal: terminal,
    errorIsTerminal: colors,
    outWidth: process.stdout.columns,
    errorWidth: process.stdout.columns,
    signal: interrupted.signal,
  });
  if (status !== 0) {
    console.error(`\nThe demo stopped: "seg ${shown}" ended with exit code ${status}.`);
    process.exit(status);
  }
}

const show = (sql, limit = '5') => run('show', '--inline', sql, '--limit', limit);
const minutesAgo = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

title('Build: seeds, models and tests, in the order of their dependencies');
await run('build', '--exclude', 'resource_type:scenario');

title('Stream events in: every view is right when a batch commits');
await run(
  'generate',
  'segment_events',
  '--count',
  '100000',
  '--users',
  '20000',
  '--segments',
  '200',
  '--into',
  'segment_events',
);
await run(
  'generate',
  'activity_events',
  '--count',
  '5000',
  '--users',
  '500',
  '--start',
  minutesAgo(20),
  '--into',
  'activity_events',
);
await run('generate', 'track_events', '--count', '2000', '--users', '400', '--into', 'track_events');
await run(
  'generate',
  'pageviews',
  '--count',
  '5000',
  '--users',
  '200',
  '--start',
  minutesAgo(75),
  '--into',
  'pageviews',
);

title('The proof: tests on what has arrived, and every view against its recomputation');
await run('test', '--select', 'resource_type:test');
await run('verify');

title('The answers: segment sizes, a profile, toggles, MQL alerts, sessions');
await show(
  `select vendor, segment, members, adds, removes from {{ ref('segment_sizes') }} order by members desc, vendor, segment`,
);
await show(
  `select user_id, s -> 'segment' ->> 'name' as segment, s -> 'segment' ->> 'vendor' as vendor, s ->> 'member' as member, s ->> 'first' as first, s ->> 'value' as value from {{ ref('user_profiles') }}, jsonb_array_elements(segments) as s where user_id = 'usr-00000a'`,
);
await show(
  `select event_at, user_id, vendor, segment, case when remove then 'left' else 'came back' end as what, previous ->> 'timestamp' as previous_event from {{ ref('segment_toggles') }} order by event_at desc, event_id`,
);
await show(
  `select alert_condition, email, mql_score from {{ ref('user_alerts') }} order by mql_score desc, email`,
);
await show(
  `select visitor_id, started_at, ended_at, pageviews, is_open from {{ ref('pageview_sessions') }} order by started_at desc, visitor_id`,
);

title('Time passes: users enter and leave with no event at all');
await show(
  `select segment, count(*) as users from {{ ref('behavior_memberships') }} group by segment order by segment`,
);
await run('clock', '+45 minutes');
await show(
  `select segment, count(*) as users from {{ ref('behavior_memberships') }} group by segment order by segment`,
);

const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`\n${paint('1;32', 'Done')} in ${seconds} s. The database stays in ${process.env.SEG_DATA ?? '.seg/data'}. Go on with
  npx seg show --select user_profiles --limit 3
  npx seg subscribe segment_toggles
  npx seg generate segment_events --seed 2 --rate 200 --into segment_events      (in another terminal)`);
process.exit(0);

// The main job on the embedded engine, command by command as a user would type it: build the project, stream events
// in, move the clock, test, verify, and look at the answers. Run it again: what was ingested is recognised and dropped.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { performance } from 'node:perf_hooks';

const seg = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const paint = process.stdout.isTTY && !process.env.NO_COLOR ? (code, text) => `\x1b[${code}m${text}\x1b[0m` : (_, text) => text;
const started = performance.now();

function title(text) {
  console.log(`\n${paint('1;36', `── ${text} `.padEnd(78, '─'))}`);
}

function run(...args) {
  const shown = args.map((arg) => (/^[\w./:=+@-]+$/.test(arg) ? arg : `"${arg}"`)).join(' ');
  console.log(paint('1', `$ seg ${shown}`));
  const { status, error } = spawnSync(process.execPath, [seg, ...args], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    console.error(`\nThe demo stopped: "seg ${shown}" ended with exit code ${status}.`);
    process.exit(status ?? 1);
  }
}

title('Build: seeds, models and tests, in the order of their dependencies');
run('build', '--exclude', 'resource_type:scenario');

title('Stream events in; every view is right when the statement returns');
run('generate', 'segment_events', '--count', '100000', '--users', '20000', '--segments', '200', '--into', 'segment_events');
run('generate', 'activity_events', '--count', '5000', '--users', '500', '--into', 'activity_events');
run('generate', 'track_events', '--count', '2000', '--users', '400', '--into', 'track_events');
run('generate', 'pageviews', '--count', '5000', '--users', '200', '--into', 'pageviews');

title('The answers');
run('show', '--inline', 'select vendor, segment, members, adds, removes from {{ ref("segment_sizes") }} order by members desc, vendor, segment', '--limit', '5');
run('show', '--inline', 'select user_id, jsonb_array_length(segments) as segments, jsonb_pretty(segments -> 0) as first_segment from {{ ref("user_profiles") }} order by jsonb_array_length(segments) desc, user_id', '--limit', '1');
run('show', '--inline', 'select event_at, user_id, vendor, segment, remove, previous ->> \'timestamp\' as previous_at from {{ ref("segment_toggles") }} order by event_at desc, event_id', '--limit', '5');
run('show', '--inline', 'select alert_condition, email, mql_score from {{ ref("user_alerts") }} order by mql_score desc, email', '--limit', '5');
run('show', '--inline', 'select visitor_id, started_at, ended_at, pageviews, is_open from {{ ref("pageview_sessions") }} order by started_at desc, visitor_id', '--limit', '5');

title('The proof: data tests on what has arrived, and every view against its recomputation');
run('test', '--select', 'resource_type:test');
run('verify');

const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`\n${paint('1;32', 'Done')} in ${seconds} s. The database stays in ${process.env.SEG_DATA ?? '.seg/data'}: try`);
console.log('  npx seg show user_profiles --limit 3');
console.log('  npx seg subscribe segment_toggles        (and in another terminal:)');
console.log('  npx seg generate segment_events --seed 2 --rate 200 --into segment_events');

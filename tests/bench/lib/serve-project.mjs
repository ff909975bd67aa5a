// This project as the benchmark of `seg serve` runs it: five sinks that need no other server than the benchmark's receiver, and changes
// that are kept for a minute, so that what has to stay flat can stay flat.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './project-database.mjs';

const SINKS = ['toggle_notifications', 'mql_alerts', 'profile_push', 'crm_mqls', 'segment_lake'];

/** Copies the project into a folder; answers the names of its sinks. */
export function writeProject(folder) {
  for (const name of ['models', 'macros', 'seeds', 'sources', 'profiles.yml', 'selectors.yml'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  const settings = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  Object.assign(settings.seg.models.segmentation, {
    '+retain_history': '1 minute',
    '+retain_changes': 50_000,
  });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bench', seg: settings.seg }));
  const file = join(folder, 'models/sinks.yml');
  const parts = readFileSync(file, 'utf8').split(/\n(?= {2}- name: )/);
  const kept = parts.filter((part, n) => n === 0 || SINKS.some((name) => part.includes(`name: ${name}\n`)));
  if (kept.length !== SINKS.length + 1)
    throw new Error('models/sinks.yml has other sinks than the benchmark names');
  writeFileSync(file, kept.join('\n'));
  return SINKS;
}

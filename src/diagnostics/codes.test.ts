/** docs/errors.md against the source: every code is documented, exists, and stands for one kind of mistake. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '..');
const documented = [
  ...readFileSync(join(src, '..', 'docs', 'errors.md'), 'utf8').matchAll(/^\| (SEG\d{3}) /gm),
].map(([, code]) => code!);

/** Codes that several files may raise, since it is one mistake wherever it is found. Files are relative to src/. */
const shared: Readonly<Record<string, RegExp>> = {
  SEG110: /^project\//,
  SEG111: /^project\//,
  SEG112: /^project\//,
  SEG113: /^project\//,
  SEG119: /^project\//,
  SEG120: /^project\/build\//,
  SEG126: /^project\/build\//,
  SEG132: /^project\/build\//,
  SEG140: /^project\/build\//,
  SEG201: /^jinja\//,
  SEG203: /^jinja\//,
  SEG204: /^jinja\//,
  SEG210: /^(jinja|checks)\//,
  SEG213: /^jinja\//,
  SEG215: /^jinja\//,
  SEG216: /^jinja\//,
  SEG221: /^jinja\//,
  SEG222: /^jinja\//,
  SEG230: /^(project|checks|sinks)\//,
  SEG235: /^project\/context\//,
  SEG238: /^project\//,
  SEG316: /^checks\//,
  SEG317: /^checks\//,
  SEG319: /^checks\//,
  SEG353: /^selectors\//,
  SEG404: /^incremental\//,
  SEG407: /^(deploy|streaming)\//,
  SEG408: /^(deploy|streaming)\//,
  SEG410: /^(deploy|streaming)\//,
  SEG411: /^(deploy|run)\//,
  SEG412: /^(deploy|streaming)\//,
  SEG426: /^(checks|deploy)\//,
  SEG433: /^(compatibility|run|streaming)\//,
  SEG435: /^(deploy|run)\//,
  SEG436: /^(deploy|incremental)\//,
  SEG441: /^(compatibility|run)\//,
  SEG440: /^streaming\/connectors\//,
  SEG505: /^connectors\//,
  SEG506: /^(connectors|streaming)\//,
  SEG520: /^(connectors|streaming)\//,
  SEG525: /^(cli|serve)\//,
  SEG510: /^connectors\/seed-/,
  SEG511: /^connectors\/seed/,
  SEG514: /^connectors\/seed-/,
  SEG703: /^(feeds|streaming)\//,
  SEG704: /^(deploy|feeds|streaming)\//,
  SEG705: /^(feeds|streaming)\//,
  SEG706: /^(feeds|streaming)\//,
  SEG710: /^(feeds|streaming)\//,
  SEG717: /^(sinks|state)\//,
  SEG801: /^(engines|feeds)\//,
  SEG815: /^engines\//,
  SEG814: /^engines\/postgres\//,
  SEG826: /^serve\//,
  SEG827: /^serve\//,
  SEG830: /^serve\//,
  SEG832: /^serve\//,
  SEG841: /^engines\//,
  SEG844: /^cli\//,
  SEG921: /^(deploy|streaming)\//,
  SEG903: /^cli\//,
  SEG904: /^cli\//,
  SEG906: /^cli\//,
  SEG929: /^(cli|run)\//,
};

/** A defect of seg has no diagnostic: cli/report-error.ts writes its code into the text. */
const used = new Map([['SEG999', new Set(['cli/report-error.ts'])]]);
for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
  const path = join(entry.parentPath, entry.name);
  // A quoted code is raised or compared with; in comments codes stand without quotes.
  for (const [, code] of readFileSync(path, 'utf8').matchAll(/'(SEG\d{3})'/g)) {
    used.set(code!, (used.get(code!) ?? new Set()).add(path.slice(src.length + 1).replaceAll('\\', '/')));
  }
}
// The engine that the tests of scenarios run on.
for (const [code, files] of used) {
  files.delete('testing/probe-engine.ts');
  if (files.size === 0) used.delete(code);
}

test('every code that is raised is documented, and every documented one is raised', () => {
  expect([...used.keys()].sort()).toEqual([...documented].sort());
});

test('a code stands for one kind of mistake', () => {
  expect(documented).toHaveLength(new Set(documented).size);
  for (const [code, files] of used) {
    if (files.size < 2) continue;
    const allowed = shared[code] ?? /^$/;
    expect({ code, strays: [...files].filter((file) => !allowed.test(file)) }).toEqual({ code, strays: [] });
  }
});

/** What `state:`, `result:` and `source_status:` compare with: the artifacts of an earlier run, as plain JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { segError } from '../diagnostics/seg-error.ts';
import { isRecord } from './selectable.ts';

type Json = Readonly<Record<string, unknown>>;

export interface PreviousState {
  /** Every node of the earlier manifest by unique_id. */
  readonly nodes: ReadonlyMap<string, Json>;
  /** macro_sql by unique_id. */
  readonly macros: ReadonlyMap<string, string>;
  /** Status by unique_id, from run_results.json. */
  readonly results: ReadonlyMap<string, string> | null;
  /** max_loaded_at by unique_id, from sources.json. */
  readonly freshness: ReadonlyMap<string, string> | null;
  readonly hasManifest: boolean;
  /** The folder, for messages. */
  readonly folder: string;
}

/** Reads what is there of manifest.json, run_results.json and sources.json. Throws SegError SEG352 for unreadable JSON. */
export function readPreviousState(folder: string): PreviousState {
  const manifest = readArtifact(folder, 'manifest.json');
  const nodes = new Map<string, Json>();
  for (const section of ['nodes', 'sources', 'exposures', 'metrics', 'unit_tests', 'scenarios', 'sinks']) {
    for (const [id, node] of entries(manifest?.[section])) nodes.set(id, node);
  }
  const macros = entries(manifest?.['macros']).map(([id, macro]) => [id, macroText(macro)] as const);
  return {
    nodes,
    macros: new Map(macros),
    results: readResults(readArtifact(folder, 'run_results.json'), 'status'),
    freshness: readResults(readArtifact(folder, 'sources.json'), 'max_loaded_at'),
    hasManifest: manifest !== null,
    folder,
  };
}

/** A field of every result of run_results.json or sources.json, by unique_id; null without the file. */
export function readResults(artifact: Json | null, field: string): Map<string, string> | null {
  if (artifact === null) return null;
  const results = Array.isArray(artifact['results']) ? artifact['results'].filter(isRecord) : [];
  return new Map(
    results.flatMap(({ unique_id: id, [field]: value }) =>
      typeof id === 'string' && typeof value === 'string' ? [[id, value] as const] : [],
    ),
  );
}

/** A JSON object from a file of the folder; null when the file does not exist. */
export function readArtifact(folder: string, name: string): Json | null {
  const path = join(folder, name);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw segError('SEG352', `cannot read "${path}"`, {
      hint: String((error as Error).message),
      cause: error,
    });
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isRecord(parsed)) return parsed;
  } catch (error) {
    throw notJson(path, error);
  }
  throw notJson(path);
}

function notJson(path: string, cause?: unknown) {
  return segError('SEG352', `"${path}" is not a JSON object`, {
    hint: 'It must be an artifact that an earlier run has written to its target folder.',
    cause,
  });
}

function entries(section: unknown): [string, Json][] {
  if (!isRecord(section)) return [];
  return Object.entries(section).filter((entry): entry is [string, Json] => isRecord(entry[1]));
}

function macroText(macro: Json): string {
  return typeof macro['macro_sql'] === 'string' ? macro['macro_sql'] : '';
}

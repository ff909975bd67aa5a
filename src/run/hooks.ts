/** dbt's hooks: SQL of the user that runs before and after a run, or before and after a model. */
import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { JsonValue } from '../changelog/change.ts';
import type { Project } from '../project/load.ts';
import type { ModelNode } from '../project/nodes.ts';
import type { RunListener } from './events.ts';

export type HookKind = 'on-run-start' | 'on-run-end' | 'pre-hook' | 'post-hook';

/** @throws SegError SEG414 when a hook's SQL fails */
export async function runHooks(
  tx: Connection,
  project: Project,
  kind: HookKind,
  listener: RunListener,
  node?: ModelNode,
): Promise<void> {
  const hooks =
    node === undefined
      ? kind === 'on-run-start'
        ? project.onRunStart
        : project.onRunEnd
      : hookTexts(node.config[kind] ?? node.config[kind.replace('-', '_')] ?? null);
  for (const [i, hook] of hooks.entries()) {
    const name = node === undefined ? `${project.name}.${kind}.${i}` : `${kind} of model "${node.name}"`;
    const { text } = project.renderInline(hook, node?.original_file_path ?? name, node);
    if (text.trim() === '') continue;
    const started = performance.now();
    const event = { index: i + 1, total: hooks.length, name } as const;
    if (node === undefined) listener({ kind: 'hookStart', ...event });
    try {
      await tx.exec(text);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw segError('SEG414', `${name}: ${error.message}`, {
        at: node?.at,
        notes: node === undefined ? [{ message: 'The run was rolled back: nothing was changed.' }] : [],
        hint: error.hint,
        exitCode: 1,
        cause: error,
      });
    }
    if (node === undefined) {
      const seconds = (performance.now() - started) / 1000;
      listener({ kind: 'hookFinish', ...event, status: 'success', message: 'OK', seconds, diagnostics: [] });
    }
  }
}

/** A text, a list of texts, or dbt's `{sql: ..., transaction: ...}`. */
function hookTexts(value: JsonValue): string[] {
  if (value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(hookTexts);
  return typeof value === 'object' && typeof value['sql'] === 'string' ? [value['sql']] : [];
}

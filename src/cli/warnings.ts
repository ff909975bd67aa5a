import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../diagnostics/render.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import type { CommandContext } from './context.ts';
import type { FlagValues } from './flag-values.ts';

type Treatment = 'error' | 'warn' | 'silence';

/**
 * `--warn-error` and `--warn-error-options`: what becomes of a warning, by its code (and
 * dbt's name of it, where it has one). As in dbt `error` (old name
 * `include`) is `all` or a list, `warn` (`exclude`) takes some of these back, `silence` drops.
 */
export function warningPolicy(flags: FlagValues): (...names: string[]) => Treatment {
  const options = flags.mapping('warn-error-options') ?? {};
  const unknown = Object.keys(options).find(
    (key) => !['error', 'include', 'warn', 'exclude', 'silence'].includes(key),
  );
  if (unknown !== undefined) {
    throw segError('SEG903', `unknown key "${unknown}" in --warn-error-options`, {
      hint: 'The keys are error, warn and silence.',
    });
  }
  const errors = names(options['error'] ?? options['include']);
  const warnings = names(options['warn'] ?? options['exclude']);
  const silent = names(options['silence']);
  const all = flags.boolean('warn-error') || errors.has('all') || errors.has('*');
  return (...codes) => {
    const named = (list: ReadonlySet<string>) => codes.some((code) => list.has(code));
    if (named(silent)) return 'silence';
    return (all || named(errors)) && !named(warnings) ? 'error' : 'warn';
  };
}

/** Logs warnings; throws those that `--warn-error` has made errors, all of them together. */
export function reportWarnings(context: CommandContext, warnings: readonly Diagnostic[]): void {
  const treat = warningPolicy(context.flags);
  const { log, sources } = context;
  const errors: Diagnostic[] = [];
  for (const warning of warnings) {
    const treatment = treat(warning.code);
    if (treatment === 'error') errors.push({ ...warning, severity: 'error' });
    if (treatment !== 'warn') continue;
    const text = renderDiagnostic(warning, {
      sourceOf: (file) => sources.of(file),
      colors: log.colors.isColorSupported,
    });
    log.warn(text, { name: 'ProjectWarning', code: warning.code, data: { diagnostic: warning } });
  }
  if (errors.length > 0) throw new SegError(errors);
}

function names(value: JsonValue | undefined): Set<string> {
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return new Set(list.map((item) => String(item as string)));
}

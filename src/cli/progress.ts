import type { CommandContext } from './context.ts';

const EVERY_MS = 1000;

/** Logs at most one line a second of something that goes on; the text is made only when it is shown. */
export function progress(context: Pick<CommandContext, 'log'>): (text: () => string) => void {
  let shown: number | undefined;
  return (text) => {
    // What is over within a second needs no progress.
    shown ??= performance.now();
    if (performance.now() - shown < EVERY_MS) return;
    shown = performance.now();
    context.log.info(text());
  };
}

/** `12,345`. */
export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

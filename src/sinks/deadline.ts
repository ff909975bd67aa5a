/**
 * Work that is given up when a time is over, or when somebody says so. Not AbortSignal.any and AbortSignal.timeout: the first leaves a
 * trace of each signal it made in the ones it was made of (nodejs/node#54614), the second keeps what listens to it until the time
 * is over, and a sink makes both for each of its requests.
 * @param work gets a signal that is aborted in either case
 */
export async function withDeadline<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal, timedOut: () => boolean) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    either.abort(new Error('the time is over'));
  }, milliseconds);
  const stop = (): void => either.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await work(either.signal, () => late);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Waits; false when one of the signals was aborted before the time was over. */
export async function pause(milliseconds: number, ...signals: readonly AbortSignal[]): Promise<boolean> {
  if (signals.some(({ aborted }) => aborted)) return false;
  return new Promise((resolve) => {
    const done = (slept: boolean): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', stop);
      resolve(slept);
    };
    const timer = setTimeout(() => done(true), milliseconds);
    const stop = (): void => done(false);
    for (const signal of signals) signal.addEventListener('abort', stop);
  });
}

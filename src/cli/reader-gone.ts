/**
 * Whether anybody still reads what a command prints into a pipe. A pipe tells only at the next write, and a feed may have
 * nothing to write for hours: `seg subscribe x | head -1` should end when head does.
 */
import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const EVERY_MS = 500;

/**
 * Calls `onGone` once, when the last other process has closed its end of standard output's pipe. On systems without /proc, and for
 * output that is no pipe, never: there the next write tells. Answers the function that ends the watch.
 */
export function watchReader(onGone: () => void): () => void {
  const pipe = pipeOfOutput();
  if (pipe === undefined) return () => {};
  let reader = holderOf(pipe);
  if (reader === undefined) return () => {};
  const timer = setInterval(() => {
    if (linkAt(reader!) === pipe) return;
    reader = holderOf(pipe);
    if (reader !== undefined) return;
    clearInterval(timer);
    onGone();
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** `pipe:[1234]`, which names the pipe among all processes. */
function pipeOfOutput(): string | undefined {
  try {
    return fstatSync(1).isFIFO() ? linkAt('/proc/self/fd/1') : undefined;
  } catch {
    return undefined;
  }
}

/** The path of a descriptor of another process that has the pipe open for reading. */
function holderOf(pipe: string): string | undefined {
  const own = String(process.pid);
  for (const pid of entries('/proc')) {
    if (!/^\d+$/.test(pid) || pid === own) continue;
    for (const fd of entries(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      if (linkAt(path) === pipe && isReading(pid, fd)) return path;
    }
  }
  return undefined;
}

/** Shells and wrappers hold the writing end too. The last octal digits of `flags` are open(2)'s: 0 is read-only. */
function isReading(pid: string, fd: string): boolean {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '1';
    return (Number.parseInt(flags, 8) & 3) !== 1;
  } catch {
    return false;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Of another user, or ended meanwhile.
    return [];
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

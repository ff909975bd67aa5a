import { isMainThread, resourceLimits } from 'node:worker_threads';

/**
 * Megabytes of the stack of this thread, as V8 bounds it: about one in a process's first thread, which nothing can enlarge; in a worker what it
 * was started with (`resourceLimits.stackSizeMb`).
 */
export const stackMegabytes = isMainThread ? 1 : (resourceLimits.stackSizeMb ?? 4);

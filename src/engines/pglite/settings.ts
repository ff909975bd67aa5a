import { PGlite } from '@electric-sql/pglite';
import { stackMegabytes } from '../../sql/thread-stack.ts';

/**
 * Settings of the embedded server. One session owns the machine's memory here, so sorts and hashes get more of it than
 * a shared server would give; JIT does not exist in WASM. PGlite never checkpoints by itself between statements, so whoever
 * opens a directory does (open.ts), at as much log as `max_wal_size` says.
 */
const settings = {
  work_mem: '128MB',
  maintenance_work_mem: '256MB',
  hash_mem_multiplier: '2.0',
  max_wal_size: '256MB',
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  plan_cache_mode: 'auto',
  // A WebAssembly function needs several times as much of V8's stack as of PostgreSQL's own, and V8's must not end first, in the middle of a
  // statement. More than 3,900 kB the module does not have.
  max_stack_depth: `${Math.min(200 * stackMegabytes, 3900)}kB`,
};

export const startParams = startParamsOf(settings);

/** A server's life is long, and WebAssembly gives no memory back: what one large sort has taken stays taken. */
const serving = { work_mem: '32MB', maintenance_work_mem: '64MB' };

/** The same, with so many megabytes of buffers (buffers.ts) and of log (disk-reserve.ts). */
export function startParamsWith(
  megabytes: { readonly buffers: number; readonly log: number },
  options: { readonly serves: boolean },
): string[] {
  return startParamsOf({
    ...settings,
    ...(options.serves ? serving : {}),
    shared_buffers: `${megabytes.buffers}MB`,
    min_wal_size: '32MB',
    max_wal_size: `${megabytes.log}MB`,
  });
}

/**
 * For databases that live as long as a test does. The server writes over all of its shared buffers when it starts, which for
 * the default of 128 MB took a third of the time of opening one; and the log of a database in memory is memory too.
 */
export const briefStartParams = startParamsOf({
  ...settings,
  shared_buffers: '16MB',
  max_wal_size: '32MB',
});

function startParamsOf(values: Readonly<Record<string, string>>): string[] {
  return [
    ...PGlite.defaultStartParams,
    ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

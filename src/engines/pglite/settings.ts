import { PGlite } from '@electric-sql/pglite';

/**
 * Settings of the embedded server. One session owns the machine's memory here, so sorts and hashes get more of it than
 * a shared server would give; JIT does not exist in WASM; WAL segments are recycled early because PGlite never
 * checkpoints by itself between statements (a 5-million-event directory was seen with 1.4 GB of WAL).
 */
export const startParams = [
  ...PGlite.defaultStartParams,
  ...Object.entries({
    work_mem: '128MB',
    maintenance_work_mem: '256MB',
    hash_mem_multiplier: '2.0',
    max_wal_size: '256MB',
    TimeZone: 'UTC',
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    extra_float_digits: '1',
    plan_cache_mode: 'auto',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];

import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { runCase } from './trace-runner.ts';
import type { Case, Trace } from './trace-runner.ts';

/**
 * A session keeps the plans of functions that are dropped, and looks at all of them whenever a table changes: the hundredth view costs
 * six times the first. So a database serves for so many views.
 */
const VIEWS_PER_DATABASE = 24;

/** Runs cases, one after the other, on databases in memory. */
export class CaseRunner {
  #db: PGliteDatabase | undefined;
  #views = 0;

  /** The database for a case of so many views; without a number, that of the last one. */
  async database(views = 0): Promise<PGliteDatabase> {
    if (views > 0 && this.#views >= VIEWS_PER_DATABASE) await this.close();
    this.#views += views;
    this.#db ??= await openMemoryDatabase({ size: 'large' });
    return this.#db;
  }

  async run(input: Case): Promise<Trace> {
    return runCase(await this.database(input.views.length), input);
  }

  async close(): Promise<void> {
    await this.#db?.close();
    this.#db = undefined;
    this.#views = 0;
  }
}

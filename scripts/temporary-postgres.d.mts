/** A server of its own, see temporary-postgres.mjs. */
export interface TemporaryPostgres {
  readonly url: string;
  readonly psql: string | undefined;
  readonly directory: string;
  readonly stop: () => void;
  readonly halt: () => boolean;
  readonly start: () => boolean;
}
export function freePort(): Promise<number>;
export function startPostgres(options?: {
  readonly quiet?: boolean;
  readonly install?: boolean;
  readonly settings?: Readonly<Record<string, string | number>>;
}): Promise<TemporaryPostgres>;

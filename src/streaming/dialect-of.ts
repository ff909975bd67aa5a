import type { Target } from '../project/profiles.ts';
import type { Dialect } from './dialect.ts';
import { materialize } from './materialize.ts';
import { risingwave } from './risingwave.ts';

/** The dialect of a target; undefined for the Postgres family, whose models seg maintains itself. */
export function dialectOf(target: Target): Dialect | undefined {
  if (target.type === 'risingwave') return risingwave;
  if (target.type !== 'materialize') return undefined;
  const cluster = target.fields['cluster'];
  return materialize(typeof cluster === 'string' && cluster !== '' ? cluster : undefined);
}

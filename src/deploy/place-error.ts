/** From what PostgreSQL says of SQL that seg sent, to what the user wrote. */
import type { Location, Note } from '../diagnostics/diagnostic.ts';
import { nearest } from '../diagnostics/suggest.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { placeFor } from '../diagnostics/source-map.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import { DatabaseError } from '../engines/connection.ts';
import { limitRemedy } from '../engines/refusals.ts';

export interface SentQuery {
  /** `model "x"`, for the message. */
  readonly label: string;
  /** The statement as sent, and where the user's query stands in it. */
  readonly statement: string;
  readonly queryOffset: number;
  readonly queryLength: number;
  readonly sourceMap: SourceMap | null;
  readonly at: Location;
  /** Names to suggest for an unknown column: the columns of what the query reads. */
  readonly knownColumns?: readonly string[];
}

/**
 * A DatabaseError as a SegError with the place in the template; anything else unchanged.
 * The server counts positions in characters (code points) from 1.
 */
export function placeError(error: unknown, sent: SentQuery): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const place = positionIn(error, sent) ?? { at: sent.at, notes: [] };
  const hints = [error.hint, limitRemedy(error) ?? suggestion(error, sent)].filter(
    (hint) => hint !== undefined,
  );
  return segError('SEG407', `${sent.label}: ${error.message}`, {
    at: place.at,
    notes: [...(error.detail === undefined ? [] : [{ message: error.detail }]), ...place.notes],
    hint: hints.length > 0 ? hints.join(' ') : undefined,
    exitCode: 1,
    cause: error,
  });
}

function positionIn(error: DatabaseError, sent: SentQuery): { at: Location; notes: Note[] } | undefined {
  if (error.position === undefined) return undefined;
  let offset = 0;
  for (let seen = 1; seen < error.position && offset < sent.statement.length; seen++) {
    offset += sent.statement.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  const within = offset - sent.queryOffset;
  if (within < 0 || within > sent.queryLength) return undefined;
  const word = /^("[^"]*"|\w+)(\.("[^"]*"|\w+))*/.exec(sent.statement.slice(offset));
  return placeFor(sent.sourceMap, within, word?.[0].length ?? 1, sent.at);
}

function suggestion(error: DatabaseError, sent: SentQuery): string | undefined {
  if (error.sqlstate === '42701') return 'Give every column a name of its own: select ... as name.';
  if (error.sqlstate === '22012') return 'Guard the divisor: a / nullif(b, 0) is NULL where b is 0.';
  if (error.sqlstate === '42P01')
    return "Read a model with ref() and a table of somebody else's with source().";
  if (error.sqlstate !== '42703' || sent.knownColumns === undefined || error.hint !== undefined)
    return undefined;
  const name = /column "?(?:[^".]+\.)?([^"]+)"? does not exist/.exec(error.message)?.[1];
  if (name === undefined) return undefined;
  const near = nearest(name, sent.knownColumns);
  return near.length === 0
    ? undefined
    : `Did you mean ${near.map((candidate) => `"${candidate}"`).join(' or ')}?`;
}

/** The same error with one more note; used when a change upstream breaks a node that was not asked for. */
export function withNote(error: unknown, message: string, at?: Location): unknown {
  if (!(error instanceof SegError)) return error;
  return new SegError(
    error.diagnostics.map((diagnostic) => ({
      ...diagnostic,
      notes: [...(diagnostic.notes ?? []), { message, at }],
    })),
    { exitCode: error.exitCode, cause: error.cause },
  );
}

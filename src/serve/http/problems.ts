import type { FastifyReply } from 'fastify';
import { SegError } from '../../diagnostics/seg-error.ts';
import { DatabaseError } from '../../engines/connection.ts';

/** HTTP's word for a mistake of seg's; what is not listed is the client's mistake where seg says so, else ours. */
const STATUS: Readonly<Record<string, number>> = {
  SEG505: 409,
  SEG506: 422,
  SEG520: 409,
  SEG524: 400,
  SEG525: 409,
  SEG526: 400,
  SEG703: 400,
  SEG704: 404,
  SEG705: 409,
  SEG706: 410,
  SEG708: 400,
  SEG711: 400,
  SEG824: 404,
  SEG825: 404,
  SEG826: 400,
  SEG827: 404,
};

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** The database's server restarts, or takes no more sessions: the request may be sent again. */
export function isAway(error: unknown): boolean {
  return error instanceof DatabaseError && /^(08|57P0|53300)/.test(error.sqlstate);
}

/** `{"error": {"code", "message", "hint"}}`, the one shape of all failures. */
export function sendProblem(reply: FastifyReply, status: number, problem: Problem): FastifyReply {
  return reply.code(status).type('application/json').send({ error: problem });
}

/**
 * Class 22: a value that does not fit its type; class 54: one that is too large or too deep; 53100: the disk is full; 58030: it
 * cannot be written to; 57014: it took too long.
 */
function statusOf(sqlstate: string): number {
  if (/^(22|54)/.test(sqlstate)) return 400;
  if (sqlstate === '53100') return 507;
  if (sqlstate === '57014') return 504;
  return sqlstate.startsWith('53') || sqlstate === '58030' ? 503 : 500;
}

export function problemOf(error: unknown): { status: number; problem: Problem } {
  if (error instanceof SegError) {
    const { code, message, hint } = error.diagnostics[0]!;
    return { status: STATUS[code] ?? 500, problem: { code, message, hint } };
  }
  if (error instanceof DatabaseError) {
    if (isAway(error)) return { status: 503, problem: { code: error.sqlstate, message: error.message } };
    const status = statusOf(error.sqlstate);
    return { status, problem: { code: error.sqlstate, message: error.message, hint: error.hint } };
  }
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode !== undefined && statusCode < 500) {
    return { status: statusCode, problem: { code: code ?? 'HTTP', message: message ?? 'bad request' } };
  }
  return { status: 500, problem: { code: 'INTERNAL', message: 'internal error; the server has logged it' } };
}

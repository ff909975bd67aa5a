/** Requests to receivers over HTTP: timeouts, rates, and what their answers mean. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../deadline.ts';
import { ReceiverError } from './receiver.ts';
import { MASK } from '../../log/mask.ts';
import type { Failure, Outgoing } from './receiver.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A request as somebody may see it. */
export function shownRequest({ method, url, headers, body }: HttpRequest): Outgoing {
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    /auth|token|key$|secret|cookie|signature/i.test(name) && name !== 'idempotency-key' ? MASK : value,
  ]);
  return {
    to: `${method} ${url}`,
    headers: Object.fromEntries(shown) as Record<string, string>,
    body: body ?? null,
  };
}

/** An answer that is longer says no more; a receiver must not fill the memory. */
const ANSWER_LIMIT = 4 * 1024 * 1024;

/**
 * What an answer that is no success means for a sink: 408, 425, 429 and 5xx pass; 401, 403, 404, 405, 407 and 410 are about the
 * address or the credentials, whatever is sent; every other 4xx is about the records. A redirect is not followed: a
 * body must not go where nobody has said.
 */
export function failureOf(status: number): Failure {
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'again';
  if ([401, 403, 404, 405, 407, 410].includes(status) || status < 400) return 'down';
  return 'refused';
}

/** Milliseconds of a Retry-After header: seconds, or a date. */
export function retryAfter(value: string | null, now: number = Date.now()): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Sends requests one rate at a time for all of a sink. */
export class HttpSender {
  readonly #timeoutMs: number;
  readonly #gapMs: number;
  #next = 0;

  /** @param perSecond most requests a second; 0 for no limit */
  constructor(options: { timeoutMs: number; perSecond: number }) {
    this.#timeoutMs = options.timeoutMs;
    this.#gapMs = options.perSecond > 0 ? 1000 / options.perSecond : 0;
  }

  /** Any answer, whatever its status. @throws ReceiverError (again) when there is none */
  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    await this.#turn(signal);
    return withDeadline(this.#timeoutMs, signal, async (either, timedOut) => {
      try {
        const response = await fetch(request.url, {
          method: request.method,
          headers: { 'user-agent': 'seg', ...request.headers },
          ...(request.body === undefined ? {} : { body: request.body }),
          redirect: 'manual',
          signal: either,
        });
        return { status: response.status, headers: response.headers, text: await readText(response) };
      } catch (error) {
        if (timedOut()) {
          throw new ReceiverError('again', `no answer within ${this.#timeoutMs / 1000} s`, { cause: error });
        }
        throw new ReceiverError('again', reasonOf(error), { cause: error });
      }
    });
  }

  /** An answer with a 2xx status. @throws ReceiverError as failureOf says */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await this.exchange(request, signal);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw answerError(answer);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#gapMs === 0) return;
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#gapMs;
    if (at > now) {
      await sleep(at - now, undefined, { signal }).catch((error: unknown) => {
        throw new ReceiverError('again', 'stopped', { cause: error });
      });
    }
  }
}

export function answerError(answer: HttpAnswer, failure: Failure = failureOf(answer.status)): ReceiverError {
  const text = answer.text.trim().replaceAll(/\s+/g, ' ').slice(0, 500);
  const more = answer.status >= 300 && answer.status < 400 ? ' (redirects are not followed)' : '';
  return new ReceiverError(failure, `HTTP ${answer.status}${text === '' ? '' : `: ${text}`}${more}`, {
    status: answer.status,
    retryAfterMs: retryAfter(answer.headers.get('retry-after')),
  });
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    parts.push(part);
    size += part.length;
    if (size > ANSWER_LIMIT) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** `connect ECONNREFUSED 127.0.0.1:80`: fetch itself says "fetch failed" and keeps the reason behind it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}

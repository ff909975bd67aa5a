/** Events on their way to whoever listens; what people must hear (`notify:` of the sink) is posted too, once for each change. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkEvent } from './events.ts';
import { HttpSender } from './receivers/http.ts';
import type { Sink } from './sink.ts';

const tries = 3;

export class Notices {
  readonly #listen: (event: SinkEvent) => void;
  readonly #posting = new Set<Promise<void>>();
  #sink: Sink | undefined;

  constructor(listen: (event: SinkEvent) => void) {
    this.#listen = listen;
  }

  of(sink: Sink): void {
    this.#sink = sink;
  }

  tell(event: SinkEvent): void {
    this.#listen(event);
    const notify = this.#sink?.notify;
    if (notify === undefined || notify === null || (event.kind !== 'state' && event.kind !== 'gap')) return;
    const posted = this.#post(notify, event).finally(() => this.#posting.delete(posted));
    this.#posting.add(posted);
  }

  /** Resolves when every notice was posted or given up. */
  async sent(): Promise<void> {
    await Promise.all(this.#posting);
  }

  async #post(
    notify: NonNullable<Sink['notify']>,
    event: Extract<SinkEvent, { kind: 'state' | 'gap' }>,
  ): Promise<void> {
    const text = sentence(event);
    const body = notify.type === 'slack' ? { text } : { text, ...event };
    const sender = new HttpSender({ timeoutMs: 10_000, perSecond: 0 });
    const signal = new AbortController().signal;
    const request = {
      url: notify.url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    for (let attempt = 1; attempt <= tries; attempt++) {
      try {
        await sender.send(request, signal);
        return;
      } catch {
        if (attempt < tries) await sleep(500 * attempt);
      }
    }
  }
}

/** `sink "crm" is failing: HTTP 503`. */
export function sentence(event: Extract<SinkEvent, { kind: 'state' | 'gap' }>): string {
  const name = `sink "${event.sink}"`;
  const reason = event.reason === null ? '' : `: ${event.reason}`;
  if (event.kind === 'gap') return `${name} has missed changes${reason}`;
  if (event.state === 'ok') return `${name} has recovered`;
  const words = { failing: 'is failing', held: 'is held by its guard', broken: 'cannot run' } as const;
  return `${name} ${words[event.state]}${reason}`;
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TestProject } from './run-seg.ts';

/** `seg serve` on ports of its own. */
export interface Serving {
  readonly child: ChildProcess;
  readonly http: string;
  /** 0 where there is none: on a PostgreSQL server, with --no-pg. */
  readonly pgPort: number;
  readonly log: () => string;
  /** Ends it with a signal and answers its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export async function startServing(
  project: TestProject,
  options: { args?: readonly string[]; env?: NodeJS.ProcessEnv; onServer?: boolean } = {},
): Promise<Serving> {
  const ports = ['--port', '0', ...(options.onServer === true ? [] : ['--pg-port', '0'])];
  const child = project.start(['serve', ...ports, '--clock-interval', '0', ...(options.args ?? [])], {
    env: options.env,
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'close') as Promise<[number | null]>;
  for (;;) {
    const http = /on (https?:\S+)/.exec(log)?.[1];
    const pgPort = options.onServer === true ? '0' : /postgres:\/\/seg_reader@[^:]+:(\d+)/.exec(log)?.[1];
    if (http !== undefined && pgPort !== undefined) {
      return {
        child,
        http,
        pgPort: Number(pgPort),
        log: () => log,
        async stop(signal = 'SIGTERM') {
          child.kill(signal);
          return (await ended)[0];
        },
      };
    }
    if (child.exitCode !== null) throw new Error(`seg serve has ended: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface SseEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
}

/** The events of a Server-Sent Events answer, as they come. */
export async function* sseEvents(response: Response): AsyncGenerator<SseEvent, undefined> {
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      if (data === undefined) continue;
      yield { event: field('event') ?? 'message', id: field('id'), data: JSON.parse(data) };
    }
  }
  return undefined;
}

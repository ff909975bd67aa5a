import { knob, startOf, type GeneratorOptions } from './options.ts';
import { Random } from './random.ts';

/** A line of the pageview log. */
export interface Pageview {
  visitor_id: string;
  /** `2020-01-01 00:02:00`, UTC. */
  timestamp: string;
  event: 'pageview';
  url: string;
}

const LATE = 0.02;
const LATE_SECONDS = 600;
const MEAN_GAP_SECONDS = 0.8 * 60 + 0.15 * 300 + 0.05 * 3600;

interface Visitor {
  id: number;
  /** Seconds since 1970 of the next view. */
  next: number;
}

/**
 * Endless pageviews in the order they arrive. After a view the same visitor's next one follows soon (80 %), after 4 to
 * 6 minutes (15 %, so that the cut at 5 minutes is tried on both sides and exactly), or the visit is over and somebody
 * else comes, on average an hour later. 2 % of the lines arrive up to ten minutes late.
 */
export function* pageviews(options: GeneratorOptions = {}): Generator<Pageview, never> {
  const random = new Random(options.seed ?? 1);
  const users = knob('users', options.users, 10_000, 1);
  const rate = knob('rate', options.rate, 1, 1e-6);
  const start = Math.floor(startOf(options) / 1000);
  const atOnce = Math.max(1, Math.min(users, Math.round(rate * MEAN_GAP_SECONDS)));
  const visitors = new Heap();
  for (let i = 0; i < atOnce; i++)
    visitors.push({ id: random.below(users), next: start + random.below(MEAN_GAP_SECONDS) });
  for (;;) {
    const visitor = visitors.first;
    const now = options.clock === undefined ? visitor.next : Math.floor(options.clock() / 1000);
    const late = random.chance(LATE) ? random.below(LATE_SECONDS) : 0;
    yield {
      visitor_id: `vis-${visitor.id.toString(16).padStart(6, '0')}`,
      timestamp: new Date((now - late) * 1000).toISOString().slice(0, 19).replace('T', ' '),
      event: 'pageview',
      url: random.chance(0.3) ? '/' : `/listing/${String.fromCharCode(97 + random.below(26))}`,
    };
    const draw = random.unit();
    if (draw < 0.8) visitor.next += 1 + Math.floor(random.exponential(59));
    else if (draw < 0.95) visitor.next += 240 + random.below(121);
    else {
      visitor.id = random.below(users);
      visitor.next += 300 + Math.floor(random.exponential(3300));
    }
    visitors.sinkFirst();
  }
}

/** A binary heap of visitors by their next view. */
class Heap {
  readonly #items: Visitor[] = [];

  get first(): Visitor {
    return this.#items[0]!;
  }

  push(visitor: Visitor): void {
    const items = this.#items;
    let at = items.push(visitor) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (items[above]!.next <= visitor.next) break;
      items[at] = items[above]!;
      at = above;
    }
    items[at] = visitor;
  }

  /** Restores the order after the first visitor's next view has moved into the future. */
  sinkFirst(): void {
    const items = this.#items;
    const visitor = items[0]!;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && items[below + 1]!.next < items[below]!.next) below++;
      if (items[below]!.next >= visitor.next) break;
      items[at] = items[below]!;
      at = below;
    }
    items[at] = visitor;
  }
}

import { knob, startOf, type GeneratorOptions } from './options.ts';
import { Random } from './random.ts';
import { Timeline } from './timeline.ts';

/** Segment's `track` call, as its webhook destination posts it. */
export interface TrackEvent {
  messageId: string;
  type: 'track';
  event: string;
  /** Absent for people who never said who they are. */
  userId?: string;
  anonymousId: string;
  properties: Record<string, string | number>;
  context: { library: { name: string }; traits?: { email: string } };
  timestamp: string;
  receivedAt: string;
}

/** Events that count for marketing (the names in the seed `mql_score`), rarer the more they say. */
const SCORED: readonly (readonly [string, number])[] = [
  ['newsletter_subscribed', 0.09],
  ['community_joined', 0.07],
  ['whitepaper_downloaded', 0.06],
  ['meetup_attended', 0.05],
  ['demo_requested', 0.03],
];
const OTHERS = ['page_scrolled', 'signed_in', 'search_performed', 'video_played', 'pricing_viewed'];

/**
 * Endless track calls: 30 % have a scored event name. Two in three people are known; a known person's e-mail address
 * stands in `context.traits.email` or, for one call in five, only in `properties.email`. Calls of unknown people have
 * an `anonymousId` alone.
 */
export function* trackEvents(options: GeneratorOptions = {}): Generator<TrackEvent, never> {
  const random = new Random(options.seed ?? 1);
  const users = knob('users', options.users, 10_000, 1);
  const timeline = new Timeline(random, {
    startMs: startOf(options),
    rate: knob('rate', options.rate, 10, 1e-6),
    clock: options.clock,
  });
  for (;;) {
    const number = Math.min(users - 1, Math.floor((users * random.halfNormal()) / 4));
    const known = number % 3 !== 2;
    const email = `user${number}@example.com`;
    const inProperties = known && random.chance(0.2);
    const event = eventName(random);
    const properties: TrackEvent['properties'] = { title: `${event} ${random.below(20)}` };
    if (inProperties) properties['email'] = email;
    const happened = timeline.next();
    yield {
      messageId: random.uuid(),
      type: 'track',
      event,
      ...(known ? { userId: `u-${number}` } : {}),
      anonymousId: `anon-${number.toString(16).padStart(8, '0')}`,
      properties,
      context: {
        library: { name: 'analytics.js' },
        ...(known && !inProperties ? { traits: { email } } : {}),
      },
      timestamp: new Date(happened).toISOString(),
      receivedAt: new Date(happened + 50 + random.below(2000)).toISOString(),
    };
  }
}

function eventName(random: Random): string {
  let draw = random.unit();
  for (const [name, share] of SCORED) {
    draw -= share;
    if (draw < 0) return name;
  }
  return random.pick(OTHERS);
}

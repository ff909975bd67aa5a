import { knob, startOf, type GeneratorOptions } from './options.ts';
import { Random } from './random.ts';
import { Timeline } from './timeline.ts';
import { Zipf } from './zipf.ts';

/** A vendor says: this user is added to, or removed from, that segment. */
export interface SegmentEvent {
  event: string;
  timestamp: string;
  user: string;
  segment: { vendor: number; name: string };
  value?: string;
  remove?: true;
}

const RESERVOIR = 20_000;
const ADDS = 0.7;
/** Some vendors say why: a score, a tier. Never on a remove. */
const WITH_VALUE = 0.05;
const BOTS = 20;

/**
 * Endless segment events with the properties of real traffic: few segments get most events (Zipf), few users make
 * most of them (half-normal), 70 % are adds.
 *
 * A repeat is a page reload: the same user, segment and status again, as a NEW event with its own id and time. (Sent
 * with the old id it would be a redelivery, which ingestion drops; repeats are there so that models see "added twice".)
 * What may be repeated is a reservoir of 20,000 events: once full, each new event takes a random place.
 *
 * Bots are 20 users at the end of the range, which people never reach, with `bots` of the fresh events between them.
 */
export function* segmentEvents(options: GeneratorOptions = {}): Generator<SegmentEvent, never> {
  const random = new Random(options.seed ?? 1);
  const users = knob('users', options.users, 1_000_000, 1);
  const segments = new Zipf(
    random,
    knob('segments', options.segments, 10_000, 1),
    knob('skew', options.skew, 1.1, 0),
  );
  const repeat = knob('repeat', options.repeat, 0.4, 0, 1);
  const bots = knob('bots', options.bots, 0.02, 0, 1);
  const timeline = new Timeline(random, {
    startMs: startOf(options),
    rate: knob('rate', options.rate, 1000, 1e-6),
    clock: options.clock,
  });
  const reservoir: SegmentEvent[] = [];

  const fresh = (): SegmentEvent => {
    const user = random.chance(bots)
      ? Math.max(0, users - 1 - random.below(BOTS))
      : Math.floor(users * Math.min(1, random.halfNormal() / 10));
    const segment = segments.next();
    const event: SegmentEvent = {
      event: '',
      timestamp: '',
      user: `usr-${user.toString(16).padStart(6, '0')}`,
      segment: { vendor: 1 + (segment % 10), name: `seg-${segment.toString(16)}` },
    };
    if (!random.chance(ADDS)) event.remove = true;
    else if (random.chance(WITH_VALUE)) event.value = `score-${random.below(100)}`;
    if (reservoir.length < RESERVOIR) reservoir.push(event);
    else reservoir[random.below(RESERVOIR)] = event;
    return event;
  };

  for (;;) {
    const content = random.chance(repeat) && reservoir.length > 0 ? random.pick(reservoir) : fresh();
    // A new object each time: who takes a record may keep it.
    yield { ...content, event: random.uuid(), timestamp: new Date(timeline.next()).toISOString() };
  }
}

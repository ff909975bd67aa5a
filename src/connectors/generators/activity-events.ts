import { knob, startOf, type GeneratorOptions } from './options.ts';
import { Random } from './random.ts';
import { Timeline } from './timeline.ts';

/** What somebody did on the site. Empty strings mean absent. */
export interface ActivityEvent {
  id: string;
  id_type: string;
  region: string;
  device_type: string;
  country: string;
  created_at: string;
  payload: { activity_type: string; url: string; order_total: string; order_id: string; element_id: string };
}

const ID_TYPES = ['cookie', 'email', 'facebook'] as const;
const PLACES = [
  ['US', 'California', 30],
  ['US', 'New York', 15],
  ['US', 'Texas', 15],
  ['GB', 'England', 12],
  ['DE', 'Bayern', 10],
  ['FR', 'Île-de-France', 10],
  ['BR', 'São Paulo', 8],
] as const;
const PATHS = ['', '/listing/a', '/listing/b', '/listing/c', '/cart', '/about'];
const ELEMENTS = ['buy-button', 'newsletter-form', 'menu', 'search'];
/** Some activity is uploaded later (an app that was offline): up to 45 days, so it may fall out of a 30-day rule. */
const BACKDATED = 0.03;
const BACKDATED_MS = 45 * 24 * 3600 * 1000;

interface Person {
  readonly ids: readonly (readonly [id: string, idType: string])[];
  readonly country: string;
  readonly region: string;
  readonly device: string;
}

/**
 * Endless activity: 80 % page views, 17 % clicks, 3 % purchases, of people who each have a region, a usual device and
 * one to three references (cookie, email, facebook). Activity per person is half-normal, as with segment events.
 */
export function* activityEvents(options: GeneratorOptions = {}): Generator<ActivityEvent, never> {
  const random = new Random(options.seed ?? 1);
  const users = knob('users', options.users, 10_000, 1);
  const timeline = new Timeline(random, {
    startMs: startOf(options),
    rate: knob('rate', options.rate, 10, 1e-6),
    clock: options.clock,
  });
  const people = new Map<number, Person>();
  for (;;) {
    const number = Math.min(users - 1, Math.floor((users * random.halfNormal()) / 4));
    let person = people.get(number);
    if (person === undefined) people.set(number, (person = somebody(random, number)));
    const [id, idType] = random.pick(person.ids);
    const backdated = random.chance(BACKDATED) ? random.below(BACKDATED_MS) : 0;
    yield {
      id,
      id_type: idType,
      region: person.region,
      device_type: random.chance(0.9) ? person.device : random.pick(['desktop', 'mobile', 'tablet']),
      country: person.country,
      // The stream's own form has no zone; it is UTC.
      created_at: new Date(timeline.next() - backdated).toISOString().slice(0, 19),
      payload: activity(random),
    };
  }
}

function somebody(random: Random, number: number): Person {
  const ids = ID_TYPES.slice(0, 1 + random.below(ID_TYPES.length)).map((idType) => {
    if (idType === 'email') return [`user${number}@example.com`, idType] as const;
    return [idType === 'cookie' ? random.uuid() : `fb-${100_000 + number}`, idType] as const;
  });
  let draw = random.below(100);
  const place = PLACES.find(([, , share]) => (draw -= share) < 0) ?? PLACES[0];
  const device = random.chance(0.55) ? 'mobile' : random.chance(0.8) ? 'desktop' : 'tablet';
  return { ids, country: place[0], region: place[1], device };
}

function activity(random: Random): ActivityEvent['payload'] {
  const url = `http://myawesomeproduct${random.pick(PATHS)}`;
  const draw = random.unit();
  const payload = { activity_type: 'page_viewed', url, order_total: '', order_id: '', element_id: '' };
  if (draw >= 0.97) {
    const cents = 500 + random.below(20_000);
    payload.activity_type = 'product_purchased';
    payload.order_total = (cents / 100).toFixed(2);
    payload.order_id = random.uuid();
  } else if (draw >= 0.8) {
    payload.activity_type = 'page_element_clicked';
    payload.element_id = random.pick(ELEMENTS);
  }
  return payload;
}

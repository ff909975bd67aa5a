import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { csvHeader, formatRecords, generate, streamNames } from './generate.ts';
import { Random } from './generators/random.ts';
import { Zipf } from './generators/zipf.ts';

const share = <T>(items: readonly T[], test: (item: T) => boolean): number =>
  items.filter(test).length / items.length;

describe('every generator', () => {
  it.each(streamNames)('%s repeats for a seed and differs between seeds', (stream) => {
    const text = (seed: number) =>
      formatRecords(stream, [...generate(stream, { seed, count: 500 })] as never, 'json');
    expect(text(7)).toBe(text(7));
    expect(text(7)).not.toBe(text(8));
  });

  it('gives the same records on every machine and Node version', () => {
    const digests = streamNames.map((stream) => {
      const text = formatRecords(
        stream,
        [...generate(stream, { seed: 'pinned', count: 2000 })] as never,
        'json',
      );
      return `${stream} ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    });
    expect(digests).toMatchInlineSnapshot(`
      [
        "segment_events 2727a45e8bccb874",
        "activity_events bb0488e12c8b7acb",
        "track_events a57f4b11203c49bc",
        "pageviews 8e57ec1e7881d8b1",
      ]
    `);
  });

  it.each(streamNames)('%s writes CSV whose columns fit its header', (stream) => {
    const width = csvHeader(stream).split(',').length;
    const lines = formatRecords(stream, [...generate(stream, { count: 20 })] as never, 'csv')
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(line.split(',')).toHaveLength(width);
  });

  it('refuses knobs that make no sense', () => {
    expect(() => generate('segment_events', { repeat: 2 })).toThrow('repeat must be between 0 and 1, not 2');
    expect(() => generate('segment_events', { segments: 0 })).toThrow('segments must be 1 or more');
    expect(() => generate('pageviews', { start: 'yesterday' })).toThrow('no ISO 8601 moment');
  });

  it('takes time from a clock when live', () => {
    const [record] = generate('track_events', { count: 1, clock: () => Date.parse('2030-05-05T05:05:05Z') });
    expect(record!.timestamp.slice(0, 16)).toBe('2030-05-05T05:05');
  });
});

describe('Zipf', () => {
  it.each([0, 1.1, 2])('draws with the probabilities of skew %d', (skew) => {
    const zipf = new Zipf(new Random(3), 50, skew);
    const draws = 200_000;
    const counts = new Array<number>(50).fill(0);
    for (let i = 0; i < draws; i++) counts[zipf.next()]!++;
    const weights = counts.map((_, k) => 1 / (k + 1) ** skew);
    const total = weights.reduce((a, b) => a + b);
    // Chi-squared with 49 degrees of freedom: 99.99 % of runs stay below 94.
    const chi = counts.reduce((sum, count, k) => {
      const expected = (draws * weights[k]!) / total;
      return sum + (count - expected) ** 2 / expected;
    }, 0);
    expect(chi).toBeLessThan(94);
  });
});

describe('segment events', () => {
  const events = [...generate('segment_events', { count: 200_000, bots: 0 })];

  it('have the form of the stream', () => {
    for (const event of events.slice(0, 1000)) {
      expect(event.event).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(event.user).toMatch(/^usr-[0-9a-f]{6}$/);
      const segment = Number.parseInt(event.segment.name.slice(4), 16);
      expect(event.segment.vendor).toBe(1 + (segment % 10));
      if (event.remove) expect(event.value).toBeUndefined();
    }
    expect(new Set(events.map((event) => event.event)).size).toBe(events.length);
  });

  it('are 70 % adds, Zipf over segments, half-normal over users', () => {
    expect(share(events, (event) => event.remove !== true)).toBeCloseTo(0.7, 1);
    const harmonic = Array.from({ length: 10_000 }, (_, k) => 1 / (k + 1) ** 1.1).reduce((a, b) => a + b);
    expect(share(events, (event) => event.segment.name === 'seg-0')).toBeCloseTo(1 / harmonic, 1);
    const users = events.map((event) => Number.parseInt(event.user.slice(4), 16));
    // |N| < 1 for 68.27 %, and the scale is a tenth of a million.
    expect(share(users, (user) => user < 100_000)).toBeCloseTo(0.6827, 2);
    expect(Math.max(...users.slice(0, 100_000))).toBeLessThan(600_000);
  });

  it('repeat 40 % of what came before, as new events', () => {
    const seen = new Set<string>();
    const repeated = events.filter((event) => {
      const { user, segment, remove } = event;
      const content = JSON.stringify([user, segment, remove]);
      const known = seen.has(content);
      seen.add(content);
      return known;
    });
    // A few fresh events coincide with earlier ones.
    expect(repeated.length / events.length).toBeGreaterThan(0.39);
    expect(repeated.length / events.length).toBeLessThan(0.43);
  });

  it('advance in time, a few of them late', () => {
    const times = events.map((event) => Date.parse(event.timestamp));
    expect((times.at(-1)! - times[0]!) / 1000).toBeCloseTo(200, -1);
    const backwards = times.filter((time, i) => i > 0 && time < times[i - 1]!).length;
    expect(backwards / times.length).toBeCloseTo(0.02, 2);
  });

  it('come from few bots as often as asked', () => {
    const withBots = [...generate('segment_events', { count: 50_000, bots: 0.3 })];
    const bots = withBots.filter((event) => Number.parseInt(event.user.slice(4), 16) >= 999_980);
    expect(bots.length / withBots.length).toBeCloseTo(0.3, 1);
    expect(new Set(bots.map((event) => event.user)).size).toBe(20);
  });
});

describe('the other streams', () => {
  it('track events: 30 % scored, e-mail where Segment puts it', () => {
    const events = [...generate('track_events', { count: 20_000 })];
    const scored = [
      'demo_requested',
      'meetup_attended',
      'community_joined',
      'newsletter_subscribed',
      'whitepaper_downloaded',
    ];
    expect(share(events, (event) => scored.includes(event.event))).toBeCloseTo(0.3, 1);
    expect(share(events, (event) => event.userId !== undefined)).toBeCloseTo(2 / 3, 1);
    for (const event of events.slice(0, 500)) {
      const email = event.context.traits?.email ?? event.properties['email'];
      expect(email !== undefined).toBe(event.userId !== undefined);
    }
  });

  it('activity events: three kinds, and references that stay with their person', () => {
    const events = [...generate('activity_events', { count: 20_000, users: 100 })];
    expect(share(events, (event) => event.payload.activity_type === 'page_viewed')).toBeCloseTo(0.8, 1);
    expect(share(events, (event) => event.payload.activity_type === 'product_purchased')).toBeCloseTo(
      0.03,
      2,
    );
    const regions = new Map<string, Set<string>>();
    for (const event of events) regions.set(event.id, (regions.get(event.id) ?? new Set()).add(event.region));
    for (const seen of regions.values()) expect(seen.size).toBe(1);
  });

  it('pageviews: gaps on both sides of five minutes and exactly there, some late', () => {
    const views = [...generate('pageviews', { count: 50_000, users: 300 })];
    const last = new Map<string, number>();
    const gaps: number[] = [];
    for (const view of views) {
      const at = Date.parse(`${view.timestamp}Z`) / 1000;
      const before = last.get(view.visitor_id);
      if (before !== undefined) gaps.push(at - before);
      last.set(view.visitor_id, Math.max(at, before ?? 0));
    }
    expect(gaps.filter((gap) => gap === 300).length).toBeGreaterThan(10);
    expect(share(gaps, (gap) => gap > 240 && gap < 300)).toBeGreaterThan(0.03);
    expect(share(gaps, (gap) => gap > 300 && gap < 360)).toBeGreaterThan(0.03);
    expect(share(gaps, (gap) => gap < 0)).toBeGreaterThan(0.005);
  });
});

/** Shapes of a stream of auctions: people, what they offer, and what is bid for it, in windows of time. */
import type { Domain } from './domain.ts';

const bidWindow = `date_bin(interval '10 seconds', at, timestamptz '2024-01-01 00:00Z')`;
const days = `date_trunc('day', at, 'UTC')`;

export const auctions: Domain = {
  tables: (n) => `
    CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL, town text NOT NULL, state text NOT NULL, at timestamptz NOT NULL);
    CREATE TABLE auction (id int PRIMARY KEY, item text NOT NULL, seller int NOT NULL, category int NOT NULL, least numeric NOT NULL,
      at timestamptz NOT NULL, ends timestamptz NOT NULL);
    CREATE TABLE bid (auction int NOT NULL, bidder int NOT NULL, price numeric NOT NULL, channel text NOT NULL, url text NOT NULL,
      at timestamptz NOT NULL);
    CREATE TABLE side (key int PRIMARY KEY, value text NOT NULL);
    INSERT INTO person SELECT i, 'name ' || i, 'town ' || i, 'state ' || i / 2, timestamptz '2024-01-01 00:00Z' + i * interval '8 seconds'
      FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO auction SELECT i, 'item ' || i, 1 + i % ${n / 4}, i / 4, i % 20, timestamptz '2024-01-01 00:00Z' + i * interval '4 seconds',
      timestamptz '2024-01-01 00:00Z' + i * interval '4 seconds' + interval '20 minutes' FROM generate_series(1, ${n / 2}) AS i;
    INSERT INTO bid SELECT 1 + i / 2, 1 + i % ${n / 4}, i * 7 % 90, 'channel ' || i / 4, 'https://shop/' || i || '/x/y',
      timestamptz '2024-01-01 00:00Z' + i * interval '2 seconds' FROM generate_series(1, ${n - 2}) AS i;
    INSERT INTO side SELECT i, 'value ' || i FROM generate_series(0, ${n / 2}) AS i;
    CREATE INDEX ON bid (auction, bidder);`,
  changes: {
    person: [
      `INSERT INTO person VALUES (0, 'x', 'town 3', 'state 3', '2024-01-01 00:00:09Z')`,
      `UPDATE person SET state = 'state 5' WHERE id = 4`,
      'DELETE FROM person WHERE id = 5',
    ],
    auction: [
      `INSERT INTO auction VALUES (0, 'x', 3, 1, 2, '2024-01-01 00:00:09Z', '2024-01-01 01:00:00Z')`,
      'UPDATE auction SET category = 2 WHERE id = 4',
      'DELETE FROM auction WHERE id = 5',
    ],
    bid: [
      `INSERT INTO bid VALUES (3, 3, 91, 'channel 1', 'https://shop/3/x/y', '2024-01-01 00:00:09Z')`,
      'UPDATE bid SET price = price + 1 WHERE auction = 4',
      'DELETE FROM bid WHERE auction = 5',
    ],
    side: [
      `INSERT INTO side VALUES (-1, 'x')`,
      `UPDATE side SET value = 'y' WHERE key = 4`,
      'DELETE FROM side WHERE key = 5',
    ],
  },
  shapes: {
    'every bid': { query: 'SELECT auction, bidder, price, at FROM bid' },
    'prices in another currency': { query: 'SELECT auction, bidder, 0.908 * price AS price, at FROM bid' },
    'bids for some auctions': { query: 'SELECT auction, price FROM bid WHERE auction % 3 = 0' },
    'people who sell near by': {
      query: `SELECT p.name, p.town, p.state, a.id FROM auction AS a JOIN person AS p ON a.seller = p.id
        WHERE a.category < 10 AND (p.state = 'state 1' OR p.state = 'state 2' OR p.state = 'state 3')`,
    },
    'average closing price of a category': {
      query: `SELECT q.category, avg(q.final) AS price FROM (SELECT a.id, a.category, max(b.price) AS final FROM auction AS a JOIN bid AS b ON a.id = b.auction
        WHERE b.at BETWEEN a.at AND a.ends GROUP BY a.id, a.category) AS q GROUP BY q.category`,
    },
    'hottest auctions of a window': {
      query: `WITH counted AS (SELECT auction, ${bidWindow} AS w, count(*) AS n FROM bid GROUP BY auction, ${bidWindow})
        SELECT c.auction, c.w, c.n FROM counted AS c JOIN (SELECT w, max(n) AS most FROM counted GROUP BY w) AS m ON m.w = c.w AND c.n >= m.most`,
    },
    'a seller\u2019s last ten prices': {
      query: `SELECT seller, ends, avg(final) OVER (PARTITION BY seller ORDER BY ends, id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS price
        FROM (SELECT a.id, a.seller, a.ends, max(b.price) AS final FROM auction AS a JOIN bid AS b ON a.id = b.auction
          WHERE b.at BETWEEN a.at AND a.ends GROUP BY a.id, a.seller, a.ends) AS q`,
    },
    'highest bid of a window': {
      query: `SELECT b.auction, b.price, b.bidder, b.at FROM bid AS b
        JOIN (SELECT max(price) AS most, ${bidWindow} AS w FROM bid GROUP BY ${bidWindow}) AS m
          ON b.price = m.most AND b.at >= m.w AND b.at < m.w + interval '10 seconds'`,
      grows: { bid: 'a bid is found by its price, and its window among all bids of that price' },
    },
    'new people who sell at once': {
      query: `SELECT p.id, p.name, p.w FROM (SELECT DISTINCT id, name, ${bidWindow} AS w FROM person) AS p
        JOIN (SELECT DISTINCT seller, ${bidWindow} AS w FROM auction) AS a ON p.id = a.seller AND p.w = a.w`,
    },
    'the winning bids': {
      query: `SELECT id, item, bidder, price FROM (SELECT a.id, a.item, b.bidder, b.price,
          row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.at) AS place
        FROM auction AS a JOIN bid AS b ON a.id = b.auction WHERE b.at BETWEEN a.at AND a.ends) AS q WHERE place = 1`,
    },
    'sessions of a bidder': {
      query: `SELECT bidder, session, count(*) AS bids, min(at) AS began, max(at) AS ended FROM (
          SELECT bidder, at, sum(CASE WHEN fresh THEN 1 ELSE 0 END) OVER (PARTITION BY bidder ORDER BY at) AS session FROM (
            SELECT bidder, at, at > lag(at) OVER (PARTITION BY bidder ORDER BY at) + interval '10 minutes' AS fresh FROM bid) AS f) AS s
        GROUP BY bidder, session`,
      grows: {
        bid: 'with more bidders the bids of one are farther apart than a session, which makes more of them',
      },
    },
    'bids of a bidder in a window': {
      query: `SELECT bidder, ${bidWindow} AS w, count(*) AS bids FROM bid GROUP BY bidder, ${bidWindow}`,
    },
    'bids beside a small table': {
      query:
        'SELECT b.auction, b.bidder, b.price, s.value FROM bid AS b JOIN side AS s ON b.auction % 1000000 = s.key',
    },
    'bids by the hour of the day': {
      query: `SELECT auction, bidder, 0.908 * price AS price, CASE WHEN extract(hour FROM at AT TIME ZONE 'UTC') BETWEEN 8 AND 18 THEN 'day' ELSE 'night' END AS part,
          length(url) - length(replace(url, 'x', '')) AS x FROM bid WHERE 0.908 * price > 20`,
    },
    'figures of a day': {
      query: `SELECT ${bidWindow} AS w, count(*) AS bids, count(*) FILTER (WHERE price < 30) AS low, count(*) FILTER (WHERE price >= 30 AND price < 60) AS middle,
          count(DISTINCT bidder) AS bidders, count(DISTINCT bidder) FILTER (WHERE price < 30) AS low_bidders, count(DISTINCT auction) AS auctions
        FROM bid GROUP BY ${bidWindow}`,
    },
    'figures of a channel': {
      query: `SELECT channel, ${days} AS day, max(at) AS latest, count(*) AS bids, count(*) FILTER (WHERE price < 30) AS low,
          count(DISTINCT bidder) AS bidders, count(DISTINCT auction) FILTER (WHERE price >= 30) AS auctions FROM bid GROUP BY channel, ${days}`,
    },
    'figures of an auction': {
      query: `SELECT auction, ${days} AS day, count(*) AS bids, count(*) FILTER (WHERE price < 30) AS low, min(price) AS least, max(price) AS most,
          avg(price) AS mean, sum(price) AS total FROM bid GROUP BY auction, ${days}`,
    },
    'the last bid of each bidder': {
      query: `SELECT auction, bidder, price, at FROM (SELECT *, row_number() OVER (PARTITION BY bidder, auction ORDER BY at DESC) AS place FROM bid) AS q WHERE place <= 1`,
    },
    'the ten best bids': {
      query: `SELECT auction, bidder, price, place FROM (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC, at) AS place FROM bid) AS q WHERE place <= 10`,
    },
    'bids with their auctions': {
      query:
        'SELECT b.auction, b.bidder, b.price, a.item, a.seller, a.category FROM bid AS b JOIN auction AS a ON b.auction = a.id WHERE a.category < 10',
    },
    'a name for each channel': {
      query: `SELECT auction, bidder, channel, CASE WHEN lower(channel) = 'channel 1' THEN '1' WHEN lower(channel) = 'channel 2' THEN '2'
          ELSE substring(url FROM '/([0-9]+)/') END AS number FROM bid WHERE substring(url FROM '/([0-9]+)/') IS NOT NULL`,
    },
    'parts of an address': {
      query: `SELECT auction, bidder, split_part(url, '/', 4) AS a, split_part(url, '/', 5) AS b, split_part(url, '/', 6) AS c FROM bid`,
    },
  },
};

/** Shapes of a chain of stores: what is sold and brought back in three channels, compared, ranked and summed up at several levels. */
import type { Domain } from './domain.ts';

const channels = ['sold', 'posted', 'clicked'];

export const stores: Domain = {
  tables: (n) => `
    CREATE TABLE item (id int PRIMARY KEY, brand text NOT NULL, class text NOT NULL, price numeric NOT NULL);
    CREATE TABLE store (id int PRIMARY KEY, name text NOT NULL, state text NOT NULL);
    CREATE TABLE guest (id int PRIMARY KEY, name text NOT NULL, zip text NOT NULL);
    ${channels
      .map(
        (
          table,
          c,
        ) => `CREATE TABLE ${table} (ticket int, item int NOT NULL, guest int, store int NOT NULL, month int NOT NULL, amount int NOT NULL,
          price numeric NOT NULL, profit numeric NOT NULL, PRIMARY KEY (ticket, item));
        INSERT INTO ${table} SELECT 1 + i / 2, 1 + i % ${n / 4}, 1 + (i + ${c}) % ${n / 4}, 1 + i / 8, i / 4 % ${n / 8}, i % 40, i * 7 % 90, i * 3 % 50 - 20
          FROM generate_series(1, ${n - 2}) AS i;`,
      )
      .join('\n')}
    CREATE TABLE returned (ticket int, item int, guest int NOT NULL, store int NOT NULL, reason int NOT NULL, amount int NOT NULL, paid numeric NOT NULL,
      PRIMARY KEY (ticket, item));
    INSERT INTO item SELECT i, 'brand ' || i / 2, 'class ' || i / 4, i % 50 FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO store SELECT i, 'store ' || i, 'state ' || i / 2 FROM generate_series(1, ${n / 8}) AS i;
    INSERT INTO guest SELECT i, 'guest ' || i, 'zip ' || i / 2 FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO returned SELECT ticket, item, guest, store, ticket % 7, 1 + amount / 2, price FROM sold WHERE ticket % 2 = 0;
    CREATE INDEX ON sold (guest); CREATE INDEX ON posted (guest); CREATE INDEX ON clicked (guest);`,
  changes: {
    item: [
      `INSERT INTO item VALUES (0, 'brand 1', 'class 1', 3)`,
      `UPDATE item SET brand = 'brand 0' WHERE id = 7`,
      'DELETE FROM item WHERE id = 9',
    ],
    store: [
      `INSERT INTO store VALUES (0, 'store 0', 'state 1')`,
      `UPDATE store SET state = 'state 0' WHERE id = 7`,
      'DELETE FROM store WHERE id = 9',
    ],
    guest: [
      `INSERT INTO guest VALUES (0, 'guest 0', 'zip 1')`,
      `UPDATE guest SET zip = 'zip 0' WHERE id = 7`,
      'DELETE FROM guest WHERE id = 9',
    ],
    ...Object.fromEntries(
      channels.map((table) => [
        table,
        [
          `INSERT INTO ${table} VALUES (3, 1, 3, 3, 1, 2, 3, 4)`,
          `UPDATE ${table} SET profit = 9, amount = 3 WHERE ticket = 4`,
          `DELETE FROM ${table} WHERE ticket = 6`,
        ],
      ]),
    ),
    returned: [
      'INSERT INTO returned VALUES (3, 1, 3, 3, 1, 2, 3)',
      'UPDATE returned SET paid = 9 WHERE ticket = 4',
      'DELETE FROM returned WHERE ticket = 6',
    ],
  },
  shapes: {
    'guests who return more than others of their store': {
      query: `WITH total AS (SELECT guest, store, sum(paid) AS paid FROM returned GROUP BY guest, store)
        SELECT g.name FROM total AS t JOIN store AS s ON s.id = t.store JOIN guest AS g ON g.id = t.guest
        WHERE t.paid > (SELECT avg(o.paid) * 1.2 FROM total AS o WHERE o.store = t.store)`,
      grows: {
        store: 'not explained: PostgreSQL chooses the order of the joins around the subquery',
        guest: 'not explained: PostgreSQL chooses the order of the joins around the subquery',
      },
    },
    'brands of a month': {
      query: `SELECT s.month, i.brand, sum(s.price) AS value FROM sold AS s JOIN item AS i ON i.id = s.item WHERE i.class <> 'class 0' GROUP BY s.month, i.brand`,
    },
    'averages of an item': {
      query: `SELECT i.id, avg(s.amount) AS amount, avg(s.price) AS price, avg(s.profit) AS profit FROM sold AS s JOIN item AS i ON i.id = s.item
        JOIN store AS t ON t.id = s.store WHERE t.state <> 'x' OR s.amount < 5 GROUP BY i.id`,
    },
    'one figure of several ranges': {
      query: `SELECT sum(s.amount) AS amount FROM sold AS s JOIN store AS t ON t.id = s.store JOIN guest AS g ON g.id = s.guest
        WHERE (s.price BETWEEN 10 AND 50 AND t.state = 'state 1') OR (s.price BETWEEN 50 AND 90 AND g.zip = 'zip 2') OR (s.profit BETWEEN 0 AND 9)`,
    },
    'averages at several levels': {
      query: `SELECT i.id, t.state, grouping(t.state) AS whole, avg(s.amount) AS amount FROM sold AS s JOIN item AS i ON i.id = s.item
        JOIN store AS t ON t.id = s.store GROUP BY ROLLUP (i.id, t.state)`,
    },
    'baskets of some size': {
      query: `SELECT g.name, b.ticket, b.n FROM (SELECT ticket, guest, count(*) AS n FROM sold GROUP BY ticket, guest) AS b JOIN guest AS g ON g.id = b.guest
        WHERE b.n BETWEEN 1 AND 5`,
    },
    'months that differ from the year': {
      query: `WITH monthly AS (SELECT item, month, sum(price) AS value FROM sold GROUP BY item, month)
        SELECT item, month, value, avg(value) OVER (PARTITION BY item) AS mean, lag(value) OVER (PARTITION BY item ORDER BY month) AS before,
          lead(value) OVER (PARTITION BY item ORDER BY month) AS after FROM monthly`,
    },
    'running totals of two channels': {
      query: `SELECT item, month, a.total AS sold, b.total AS clicked FROM
        (SELECT item, month, sum(sum(price)) OVER (PARTITION BY item ORDER BY month) AS total FROM sold GROUP BY item, month) AS a
        FULL JOIN (SELECT item, month, sum(sum(price)) OVER (PARTITION BY item ORDER BY month) AS total FROM clicked GROUP BY item, month) AS b
        USING (item, month)`,
    },
    'best of each class at several levels': {
      query: `SELECT * FROM (SELECT class, brand, value, rank() OVER (PARTITION BY class ORDER BY value DESC) AS place FROM
        (SELECT i.class, i.brand, sum(s.price) AS value FROM sold AS s JOIN item AS i ON i.id = s.item GROUP BY ROLLUP (i.class, i.brand)) AS r) AS q
        WHERE place <= 3 AND class IS NOT NULL`,
    },
    'guests of all channels': {
      query: `SELECT count(*) AS n FROM (SELECT guest, month FROM sold INTERSECT SELECT guest, month FROM posted INTERSECT SELECT guest, month FROM clicked) AS g`,
    },
    'guests of one channel only': {
      query: `SELECT count(*) AS n FROM (SELECT guest, month FROM sold EXCEPT SELECT guest, month FROM posted EXCEPT SELECT guest, month FROM clicked) AS g`,
    },
    'sales less returns': {
      query: `SELECT guest, sum(value) AS value FROM (SELECT s.guest, CASE WHEN r.reason IS NULL THEN s.amount * s.price ELSE (s.amount - r.amount) * s.price END AS value
        FROM sold AS s LEFT JOIN returned AS r ON r.ticket = s.ticket AND r.item = s.item) AS t GROUP BY guest`,
    },
    'bought here, there, or both': {
      query: `SELECT count(*) FILTER (WHERE b.guest IS NULL) AS here, count(*) FILTER (WHERE a.guest IS NULL) AS there,
          count(*) FILTER (WHERE a.guest = b.guest) AS two FROM (SELECT DISTINCT guest, item FROM sold) AS a
        FULL JOIN (SELECT DISTINCT guest, item FROM clicked) AS b ON a.guest = b.guest AND a.item = b.item`,
    },
    'share of the class': {
      query: `SELECT id, class, value, value * 100 / nullif(sum(value) OVER (PARTITION BY class), 0) AS share FROM
        (SELECT i.id, i.class, sum(s.price) AS value FROM sold AS s JOIN item AS i ON i.id = s.item GROUP BY i.id, i.class) AS q`,
    },
    'all channels at several levels': {
      query: `SELECT channel, store, sum(value) AS value FROM (${channels
        .map((table) => `SELECT '${table}' AS channel, store, price * amount AS value FROM ${table}`)
        .join(' UNION ALL ')}) AS u GROUP BY ROLLUP (channel, store)`,
    },
    'best and worst of a store': {
      query: `SELECT a.store, a.item AS best, d.item AS worst FROM
        (SELECT store, item, row_number() OVER (PARTITION BY store ORDER BY profit DESC, ticket, item) AS place FROM sold) AS a JOIN
        (SELECT store, item, row_number() OVER (PARTITION BY store ORDER BY profit, ticket, item) AS place FROM sold) AS d
        ON a.store = d.store AND a.place = d.place WHERE a.place <= 2 AND d.place <= 2`,
    },
    'a row of ranges': {
      query: `SELECT (SELECT avg(price) FROM sold WHERE amount BETWEEN 0 AND 9) AS a, (SELECT count(DISTINCT price) FROM sold WHERE amount BETWEEN 10 AND 19) AS b,
        (SELECT count(price) FROM sold WHERE amount BETWEEN 20 AND 29) AS c`,
    },
    'items that never come back': {
      query: `SELECT i.brand, count(*) AS n FROM item AS i WHERE NOT EXISTS (SELECT FROM returned AS r WHERE r.item = i.id)
        AND i.id IN (SELECT c.item FROM clicked AS c WHERE c.amount > 1) GROUP BY i.brand`,
    },
  },
};

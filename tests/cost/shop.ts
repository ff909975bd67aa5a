/** Shapes of analytical queries over a shop of our own: who reads what, grouped and joined in the ways that reports do it. */
import type { Domain } from './domain.ts';

const tables = (n: number): string => `
  CREATE TABLE zone (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE place (id int PRIMARY KEY, name text NOT NULL, zone int NOT NULL);
  CREATE TABLE maker (id int PRIMARY KEY, name text NOT NULL, place int NOT NULL, balance numeric NOT NULL);
  CREATE TABLE good (id int PRIMARY KEY, kind text NOT NULL, size int NOT NULL);
  CREATE TABLE offer (good int NOT NULL, maker int NOT NULL, cost numeric NOT NULL, stock int);
  CREATE TABLE buyer (id int PRIMARY KEY, name text NOT NULL, place int NOT NULL, segment text NOT NULL);
  CREATE TABLE purchase (id int PRIMARY KEY, buyer int NOT NULL, day date NOT NULL, status text NOT NULL);
  CREATE TABLE line (purchase int NOT NULL, good int, maker int NOT NULL, amount int NOT NULL, price numeric NOT NULL,
    sent date NOT NULL, due date NOT NULL);
  INSERT INTO zone SELECT i, 'zone ' || i FROM generate_series(1, ${n / 20}) AS i;
  INSERT INTO place SELECT i, 'place ' || i, 1 + i / 2 FROM generate_series(1, ${n / 10}) AS i;
  INSERT INTO maker SELECT i, 'maker ' || i, 1 + i % ${n / 10}, i * 7 % 90 FROM generate_series(1, ${n / 4}) AS i;
  INSERT INTO good SELECT i, 'kind ' || i % ${n / 10}, i % 50 FROM generate_series(1, ${n / 2}) AS i;
  INSERT INTO offer SELECT 1 + i / 2, 1 + i * 3 % ${n / 4}, i * 11 % 70, i % 9 FROM generate_series(1, ${n}) AS i;
  INSERT INTO buyer SELECT i, 'buyer ' || i, 1 + i % ${n / 10}, 'segment ' || i % ${n / 20} FROM generate_series(1, ${n / 4}) AS i;
  INSERT INTO purchase SELECT i, 1 + i % ${n / 4}, date '2024-01-01' + i / 4, CASE WHEN i % 3 = 0 THEN 'open' ELSE 'done' END
    FROM generate_series(1, ${n}) AS i;
  INSERT INTO line SELECT 1 + i / 2, 1 + i % ${n / 2}, 1 + i * 7 % ${n / 4}, i % 40, i * 13 % 100, date '2024-01-01' + i / 8 + i % 5,
    date '2024-01-01' + i / 8 + 2 FROM generate_series(1, ${2 * n}) AS i;
  CREATE INDEX ON offer (good); CREATE INDEX ON line (purchase);`;

const value = 'l.price * l.amount';

const shapes: Domain['shapes'] = {
  'totals of a day': {
    query: `SELECT l.sent, count(*) AS n, sum(l.amount) AS amount, avg(l.price) AS price FROM line AS l GROUP BY l.sent`,
  },
  'cheapest offer in a zone, four tables around a subquery': {
    query: `SELECT m.balance, m.name, p.name AS place, g.id FROM good AS g, maker AS m, offer AS o, place AS p, zone AS z
      WHERE g.id = o.good AND m.id = o.maker AND g.size < 40 AND m.place = p.id AND p.zone = z.id AND z.name LIKE 'zone%'
        AND o.cost = (SELECT min(i.cost) FROM offer AS i, maker AS im, place AS ip, zone AS iz
          WHERE g.id = i.good AND im.id = i.maker AND im.place = ip.id AND ip.zone = iz.id AND iz.name LIKE 'zone%')`,
    grows: {
      good: 'PostgreSQL chooses the order of the joins around the subquery',
      zone: 'PostgreSQL chooses the order of the joins around the subquery',
      place: 'PostgreSQL chooses the order of the joins around the subquery',
      maker: 'PostgreSQL chooses the order of the joins around the subquery',
    },
  },
  'open purchases by value': {
    query: `SELECT p.id, p.day, sum(${value}) AS value FROM buyer AS b JOIN purchase AS p ON p.buyer = b.id JOIN line AS l ON l.purchase = p.id
      WHERE b.segment <> 'none' GROUP BY p.id, p.day`,
  },
  'purchases with a late line': {
    query: `SELECT p.day, count(*) AS n FROM purchase AS p WHERE EXISTS (SELECT FROM line AS l WHERE l.purchase = p.id AND l.sent > l.due) GROUP BY p.day`,
  },
  'sales between neighbours, five tables': {
    query: `SELECT z.name, sum(${value}) AS value FROM buyer AS b, purchase AS p, line AS l, maker AS m, place AS pl, zone AS z
      WHERE p.buyer = b.id AND l.purchase = p.id AND l.maker = m.id AND m.place = b.place AND b.place = pl.id AND pl.zone = z.id GROUP BY z.name`,
  },
  'one figure of a filter': {
    query: `SELECT sum(l.price) AS price FROM line AS l WHERE l.amount < 24 AND l.price BETWEEN 5 AND 70`,
  },
  'purchases of each buyer, none too': {
    query: `SELECT n, count(*) AS buyers FROM (SELECT b.id, count(p.id) AS n FROM buyer AS b LEFT JOIN purchase AS p ON p.buyer = b.id GROUP BY b.id) AS c GROUP BY n`,
  },
  'makers who alone were late': {
    query: `SELECT m.name, count(*) AS n FROM maker AS m, line AS l, purchase AS p, place AS pl
      WHERE m.id = l.maker AND p.id = l.purchase AND p.status = 'done' AND l.sent > l.due AND m.place = pl.id
        AND EXISTS (SELECT FROM line AS o WHERE o.purchase = l.purchase AND o.maker <> l.maker)
        AND NOT EXISTS (SELECT FROM line AS o WHERE o.purchase = l.purchase AND o.maker <> l.maker AND o.sent > o.due)
      GROUP BY m.name`,
  },
  'goods nobody complains of': {
    query: `SELECT g.kind, count(DISTINCT o.maker) AS makers FROM offer AS o, good AS g
      WHERE g.id = o.good AND o.maker NOT IN (SELECT m.id FROM maker AS m WHERE m.balance < 3) GROUP BY g.kind`,
  },
  'lines below the average of their good': {
    query: `SELECT sum(l.price) / 7 AS yearly FROM line AS l, good AS g WHERE g.id = l.good AND g.size < 45
      AND l.amount < (SELECT 0.9 * avg(i.amount) FROM line AS i WHERE i.good = g.id)`,
  },
  'buyers without a purchase': {
    query: `SELECT b.segment, count(*) AS n, sum(b.id) AS ids FROM buyer AS b WHERE NOT EXISTS (SELECT FROM purchase AS p WHERE p.buyer = b.id) GROUP BY b.segment`,
  },
  'three days of open purchases, the dearest first': {
    query: `SELECT p.id, p.day, sum(${value}) AS value FROM buyer AS b JOIN purchase AS p ON p.buyer = b.id JOIN line AS l ON l.purchase = p.id
      WHERE b.segment <> 'none' AND p.status = 'open' GROUP BY p.id, p.day ORDER BY value DESC, p.id LIMIT 10`,
  },
  'volume between two zones by year': {
    query: `SELECT a.name AS a, z.name AS z, extract(year FROM l.sent) AS year, sum(${value}) AS value FROM maker AS m, line AS l, purchase AS p, buyer AS b, place AS mp,
        place AS bp, zone AS a, zone AS z
      WHERE m.id = l.maker AND p.id = l.purchase AND b.id = p.buyer AND mp.id = m.place AND bp.id = b.place AND a.id = mp.zone AND z.id = bp.zone
        AND a.name <> z.name GROUP BY a.name, z.name, extract(year FROM l.sent)`,
    grows: { zone: 'not explained: PostgreSQL chooses the order of the eight joins' },
  },
  'share of a zone in a year': {
    query: `SELECT year, sum(CASE WHEN zone = 'zone 3' THEN value ELSE 0 END) / nullif(sum(value), 0) AS share FROM
      (SELECT p.day AS year, ${value} AS value, z.name AS zone FROM good AS g, maker AS m, line AS l, purchase AS p, place AS pl, zone AS z
        WHERE g.id = l.good AND m.id = l.maker AND p.id = l.purchase AND pl.id = m.place AND z.id = pl.zone AND g.size < 45) AS q GROUP BY year`,
  },
  'profit of a kind by zone and day': {
    query: `SELECT z.name, p.day, sum(${value} - o.cost * l.amount) AS profit FROM good AS g, maker AS m, line AS l, offer AS o, purchase AS p, place AS pl, zone AS z
      WHERE m.id = l.maker AND o.maker = l.maker AND o.good = l.good AND g.id = l.good AND p.id = l.purchase AND pl.id = m.place AND z.id = pl.zone
        AND g.kind LIKE 'kind%' GROUP BY z.name, p.day`,
  },
  'buyers with the most late value': {
    query: `SELECT b.id, b.name, pl.name AS place, sum(${value}) AS lost FROM buyer AS b, purchase AS p, line AS l, place AS pl
      WHERE p.buyer = b.id AND l.purchase = p.id AND l.sent > l.due AND pl.id = b.place GROUP BY b.id, b.name, pl.name ORDER BY lost DESC, b.id LIMIT 20`,
  },
  'goods that hold more than a part of all stock': {
    query: `SELECT o.good, sum(o.cost * o.stock) AS value FROM offer AS o JOIN maker AS m ON m.id = o.maker GROUP BY o.good
      HAVING sum(o.cost * o.stock) > (SELECT sum(i.cost * i.stock) * 0.0001 FROM offer AS i JOIN maker AS im ON im.id = i.maker)`,
    grows: {
      offer: 'every group is compared with a figure that changes',
      maker: 'every group is compared with a figure that changes',
    },
  },
  'late lines by status': {
    query: `SELECT p.status, p.day, sum(CASE WHEN l.amount > 20 THEN 1 ELSE 0 END) AS many, sum(CASE WHEN l.amount <= 20 THEN 1 ELSE 0 END) AS few
      FROM purchase AS p, line AS l WHERE p.id = l.purchase AND l.sent < l.due AND l.price IN (13, 26, 39, 52) GROUP BY p.status, p.day`,
  },
  'part of one kind in a day': {
    query: `SELECT l.sent, 100 * sum(CASE WHEN g.kind LIKE 'kind 1%' THEN ${value} ELSE 0 END) / nullif(sum(${value}), 0) AS share
      FROM line AS l, good AS g WHERE l.good = g.id GROUP BY l.sent`,
  },
  'the makers who sell the most': {
    query: `WITH total AS (SELECT l.maker, sum(${value}) AS value FROM line AS l GROUP BY l.maker)
      SELECT m.id, m.name, t.value FROM maker AS m JOIN total AS t ON t.maker = m.id WHERE t.value = (SELECT max(value) FROM total)`,
  },
  'large purchases': {
    query: `SELECT b.name, p.id, p.day, sum(l.amount) AS amount FROM buyer AS b, purchase AS p, line AS l
      WHERE p.id IN (SELECT purchase FROM line GROUP BY purchase HAVING sum(amount) > 30) AND b.id = p.buyer AND l.purchase = p.id
      GROUP BY b.name, p.id, p.day`,
  },
  'one figure of three kinds': {
    query: `SELECT sum(${value}) AS value FROM line AS l, good AS g WHERE g.id = l.good AND ((g.kind = 'kind 1' AND l.amount BETWEEN 1 AND 11 AND g.size < 5)
      OR (g.kind = 'kind 2' AND l.amount BETWEEN 10 AND 20 AND g.size < 10) OR (g.kind = 'kind 3' AND l.amount BETWEEN 20 AND 30 AND g.size < 15))`,
  },
  'makers with too much of a kind': {
    query: `SELECT m.name FROM maker AS m JOIN place AS pl ON pl.id = m.place WHERE m.id IN (SELECT o.maker FROM offer AS o
      WHERE o.good IN (SELECT g.id FROM good AS g WHERE g.kind LIKE 'kind 1%')
        AND o.stock > (SELECT 0.1 * sum(l.amount) FROM line AS l WHERE l.good = o.good AND l.maker = o.maker))`,
  },
  'nullable goods that are not offered': {
    query: `SELECT l.purchase, l.good FROM line AS l WHERE l.good NOT IN (SELECT o.good FROM offer AS o WHERE o.stock = 0)`,
    grows: { offer: 'lines whose good is NULL are looked for among all of them' },
  },
  'the row of figures': {
    query: `SELECT (SELECT count(*) FROM line) AS a, (SELECT sum(amount) FROM line) AS b, (SELECT max(price) FROM line) AS c,
      (SELECT count(*) FROM line WHERE sent > due) AS d, (SELECT avg(price) FROM line) AS e, (SELECT count(good) FROM line) AS f`,
  },
  'the same table four times': {
    query: `SELECT a.id, b.id AS b, c.id AS c, d.id AS d FROM place AS a, place AS b, place AS c, place AS d
      WHERE b.id = a.zone AND c.id = b.zone AND d.id = c.zone`,
  },
  'the latest purchase of each buyer': {
    query: `SELECT DISTINCT ON (p.buyer) p.buyer, p.id, p.day, b.name FROM purchase AS p JOIN buyer AS b ON b.id = p.buyer ORDER BY p.buyer, p.day DESC, p.id`,
  },
  'beside each buyer, the best line': {
    query: `SELECT b.id, pl.name, x.best FROM buyer AS b, place AS pl,
      LATERAL (SELECT max(${value}) AS best FROM purchase AS p JOIN line AS l ON l.purchase = p.id WHERE p.buyer = b.id) AS x WHERE pl.id = b.place`,
  },
  'makers dearer than all': {
    query: `SELECT m.id FROM maker AS m WHERE m.balance > ALL (SELECT o.cost FROM offer AS o WHERE o.stock > 100)`,
    grows: {
      offer: 'a row of a subquery compared by > ALL concerns every row',
      maker: 'the subquery of > ALL is read for a row that is compared',
    },
  },
};

const changes: Domain['changes'] = {
  zone: [
    `INSERT INTO zone VALUES (0, 'zone 3')`,
    `UPDATE zone SET name = 'other' WHERE id = 2`,
    'DELETE FROM zone WHERE id = 3',
  ],
  place: [
    `INSERT INTO place VALUES (0, 'x', 3)`,
    'UPDATE place SET zone = 5 WHERE id = 4',
    'DELETE FROM place WHERE id = 5',
  ],
  maker: [
    `INSERT INTO maker VALUES (0, 'x', 3, 1)`,
    'UPDATE maker SET place = 5 WHERE id = 4',
    'DELETE FROM maker WHERE id = 5',
  ],
  good: [
    `INSERT INTO good VALUES (0, 'kind 3', 1)`,
    'UPDATE good SET size = 5 WHERE id = 4',
    'DELETE FROM good WHERE id = 5',
  ],
  offer: [
    'INSERT INTO offer VALUES (3, 3, 1, 0)',
    'UPDATE offer SET cost = 0 WHERE good = 4',
    'DELETE FROM offer WHERE good = 5',
  ],
  buyer: [
    `INSERT INTO buyer VALUES (0, 'x', 3, 'segment 1')`,
    'UPDATE buyer SET place = 5 WHERE id = 4',
    'DELETE FROM buyer WHERE id = 5',
  ],
  purchase: [
    `INSERT INTO purchase VALUES (0, 3, '2024-01-03', 'done')`,
    `UPDATE purchase SET status = 'done' WHERE id = 9`,
    'DELETE FROM purchase WHERE id = 5',
  ],
  line: [
    `INSERT INTO line VALUES (3, 3, 3, 1, 2, '2024-01-09', '2024-01-03')`,
    'UPDATE line SET amount = 50 WHERE purchase = 4',
    'DELETE FROM line WHERE purchase = 5',
  ],
};

export const shop: Domain = { tables, shapes, changes };

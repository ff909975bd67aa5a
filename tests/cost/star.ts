/** Shapes of a star: one table of sales among four of what they were of, filtered, joined and summed as reports do it. */
import type { Domain, Shape } from './domain.ts';

const dimensions = {
  d: 'calendar AS d ON d.day = s.day',
  c: 'client AS c ON c.id = s.client',
  v: 'vendor AS v ON v.id = s.vendor',
  p: 'product AS p ON p.id = s.product',
};

/** A sum of sales by some properties of what they were of. */
function sum(value: string, joined: readonly (keyof typeof dimensions)[], where: string, by = ''): Shape {
  const names = by === '' ? [] : by.split(', ').map((column, i) => `${column} AS k${i}`);
  const joins = joined.map((table) => `JOIN ${dimensions[table]}`).join(' ');
  const group = by === '' ? '' : ` GROUP BY ${by}`;
  return {
    query: `SELECT ${[...names, `sum(${value}) AS value`].join(', ')} FROM sale AS s ${joins} WHERE ${where}${group}`,
  };
}

const discount = 's.price * s.discount';
const profit = 's.revenue - s.cost';

export const star: Domain = {
  tables: (n) => `
    CREATE TABLE calendar (day int PRIMARY KEY, year int NOT NULL, month text NOT NULL, week int NOT NULL);
    CREATE TABLE client (id int PRIMARY KEY, town text NOT NULL, land text NOT NULL, region text NOT NULL);
    CREATE TABLE vendor (id int PRIMARY KEY, town text NOT NULL, land text NOT NULL, region text NOT NULL);
    CREATE TABLE product (id int PRIMARY KEY, brand text NOT NULL, class text NOT NULL, family text NOT NULL);
    CREATE TABLE sale (id int PRIMARY KEY, day int NOT NULL, client int NOT NULL, vendor int NOT NULL, product int NOT NULL,
      amount int NOT NULL, price numeric NOT NULL, discount int NOT NULL, revenue numeric NOT NULL, cost numeric NOT NULL);
    INSERT INTO calendar SELECT i, 2000 + i / 16, 'month ' || i / 4, i / 2 FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO client SELECT i, 'town ' || i / 2, 'land ' || i / 4, 'region ' || i / 8 FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO vendor SELECT i, 'town ' || i / 2, 'land ' || i / 4, 'region ' || i / 8 FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO product SELECT i, 'brand ' || i / 2, 'class ' || i / 4, 'family ' || i / 8 FROM generate_series(1, ${n / 4}) AS i;
    INSERT INTO sale SELECT i, 1 + i % ${n / 4}, 1 + i * 3 % ${n / 4}, 1 + i * 7 % ${n / 4}, 1 + i * 11 % ${n / 4}, i % 50, i % 90,
      i % 10, i % 80, i % 60 FROM generate_series(1, ${n}) AS i;`,
  changes: {
    calendar: [
      `INSERT INTO calendar VALUES (0, 2001, 'month 3', 2)`,
      'UPDATE calendar SET week = 5 WHERE day = 7',
      'DELETE FROM calendar WHERE day = 9',
    ],
    client: [
      `INSERT INTO client VALUES (0, 'town 1', 'land 1', 'region 1')`,
      `UPDATE client SET town = 'town 0' WHERE id = 7`,
      'DELETE FROM client WHERE id = 9',
    ],
    vendor: [
      `INSERT INTO vendor VALUES (0, 'town 1', 'land 1', 'region 1')`,
      `UPDATE vendor SET town = 'town 0' WHERE id = 7`,
      'DELETE FROM vendor WHERE id = 9',
    ],
    product: [
      `INSERT INTO product VALUES (0, 'brand 1', 'class 1', 'family 1')`,
      `UPDATE product SET brand = 'brand 0' WHERE id = 7`,
      'DELETE FROM product WHERE id = 9',
    ],
    sale: [
      'INSERT INTO sale VALUES (0, 3, 3, 3, 3, 1, 2, 3, 4, 5)',
      'UPDATE sale SET revenue = 50 WHERE id = 4',
      'DELETE FROM sale WHERE id = 5',
    ],
  },
  shapes: {
    'discounts of a year': sum(
      discount,
      ['d'],
      'd.year = 2000 AND s.discount BETWEEN 1 AND 3 AND s.amount < 25',
    ),
    'discounts of a month': sum(discount, ['d'], `d.month = 'month 1' AND s.discount BETWEEN 4 AND 6`),
    'discounts of a week': sum(
      discount,
      ['d'],
      'd.week = 3 AND d.year = 2000 AND s.discount BETWEEN 5 AND 7',
    ),
    'brands of a class': sum(
      's.revenue',
      ['d', 'p', 'v'],
      `p.class <> 'class 0' AND v.region <> 'region 0'`,
      'd.year, p.brand',
    ),
    'a range of brands': sum(
      's.revenue',
      ['d', 'p', 'v'],
      `p.brand BETWEEN 'brand 1' AND 'brand 5'`,
      'd.year, p.brand',
    ),
    'one brand': sum(
      's.revenue',
      ['d', 'p', 'v'],
      `p.brand = 'brand 3' AND v.region <> 'region 0'`,
      'd.year, p.brand',
    ),
    'from land to land': sum(
      's.revenue',
      ['d', 'c', 'v'],
      `c.region <> 'x' AND v.region <> 'x'`,
      'c.land, v.land, d.year',
    ),
    'from town to town': sum(
      's.revenue',
      ['d', 'c', 'v'],
      `c.land <> 'x' AND v.land <> 'x'`,
      'c.town, v.town, d.year',
    ),
    'between two towns': sum(
      's.revenue',
      ['d', 'c', 'v'],
      `c.town IN ('town 1', 'town 3') AND v.town IN ('town 3', 'town 5')`,
      'c.town, v.town, d.year',
    ),
    'between two towns in a month': sum(
      's.revenue',
      ['d', 'c', 'v'],
      `c.town IN ('town 1', 'town 3') AND v.town IN ('town 3', 'town 5') AND d.month = 'month 1'`,
      'c.town, v.town, d.year',
    ),
    'profit by land': sum(
      profit,
      ['d', 'c', 'v', 'p'],
      `c.region <> 'x' AND p.family <> 'x'`,
      'd.year, c.land',
    ),
    'profit by land and class': sum(
      profit,
      ['d', 'c', 'v', 'p'],
      `(p.family = 'family 0' OR p.family = 'family 1')`,
      'd.year, v.land, p.class',
    ),
    'profit by town and brand': sum(
      profit,
      ['d', 'c', 'v', 'p'],
      `c.region <> 'x' AND v.land <> 'x'`,
      'd.year, v.town, p.brand',
    ),
  },
};

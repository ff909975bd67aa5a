import { beforeAll, describe, expect, it } from 'vitest';
import { byteOffsets, loadSqlParser, parseStatements, SqlSyntaxError } from './parse.ts';

beforeAll(loadSqlParser);

describe('parseStatements', () => {
  it('gives places in UTF-16 units, whatever stands before', () => {
    const sql = "select '€😀' as a; select 2 -- end";
    const found = parseStatements(sql).map(({ start, end }) => sql.slice(start, end));
    expect(found).toEqual(["select '€😀' as a", 'select 2 -- end']);
  });

  it('places a syntax error at its token', () => {
    const sql = "select '€😀', fro m x";
    const error = (() => {
      try {
        return parseStatements(sql);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(SqlSyntaxError);
    const { offset, length, message } = error as SqlSyntaxError;
    expect([message, sql.slice(offset, offset + length)]).toEqual(['syntax error at or near "x"', 'x']);
  });

  it.each([
    ['terms', `select ${Array(6000).fill('a').join(' + ')} from t`],
    ['calls', `select ${'coalesce('.repeat(1500)}a${', 0)'.repeat(1500)} from t`],
    ['subqueries', `select * from ${'(select * from '.repeat(700)}t${') as x'.repeat(700)}`],
  ])('refuses what is nested too deeply for those who read the tree: %s', (_name, sql) => {
    expect(() => parseStatements(sql)).toThrow(SqlSyntaxError);
    expect(() => parseStatements(sql)).toThrow('nested more than 3000 levels deep');
  });

  it('takes a thousand terms, and a list of any length', () => {
    expect(parseStatements(`select ${Array(1000).fill('a').join(' + ')} from t`)).toHaveLength(1);
    expect(parseStatements(`select 1 in (${Array(9000).fill('1').join(', ')})`)).toHaveLength(1);
  });

  it('finds nothing in blanks and comments', () => {
    expect(parseStatements(' \n')).toEqual([]);
    expect(parseStatements('-- nothing')).toEqual([]);
  });
});

it('byteOffsets', () => {
  expect([0, 1, 3, 6, 10].map(byteOffsets('aé€😀'))).toEqual([0, 1, 2, 3, 5]);
});

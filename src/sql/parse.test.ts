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

  it('finds nothing in blanks and comments', () => {
    expect(parseStatements(' \n')).toEqual([]);
    expect(parseStatements('-- nothing')).toEqual([]);
  });
});

it('byteOffsets', () => {
  expect([0, 1, 3, 6, 10].map(byteOffsets('aé€😀'))).toEqual([0, 1, 2, 3, 5]);
});

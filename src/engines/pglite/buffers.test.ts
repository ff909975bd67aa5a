import { expect, test } from 'vitest';
import { bufferMegabytes, databaseBytes, megabytesOf } from './buffers.ts';

const megabyte = 2 ** 20;
const gigabyte = 2 ** 30;

test.each([
  ['an empty database', 0, 16 * gigabyte, 128],
  ['one that fits', 80 * megabyte, 16 * gigabyte, 128],
  ['one that does not', 100 * megabyte, 16 * gigabyte, 256],
  ['a large one', 5 * gigabyte, 16 * gigabyte, 512],
  ['a large one on a small machine', 5 * gigabyte, 2 * gigabyte, 256],
  ['a large one on a very small machine', 5 * gigabyte, gigabyte / 2, 128],
])('%s', (_, bytes, memory, expected) => {
  expect(bufferMegabytes(bytes, memory)).toBe(expected);
});

test.each([
  ['256MB', 256],
  ['64 MB', 64],
  ['1GB', 1024],
])('%s as it stands in a profile', (setting, expected) => {
  expect(megabytesOf(setting)).toBe(expected);
});

test('a directory that is not there holds nothing', () => {
  expect(databaseBytes('/nowhere')).toBe(0);
});

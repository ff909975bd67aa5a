import {
  fdatasyncSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SyncedFiles } from './synced-files.ts';

let folder: string;
const old = new Date(Date.now() - 60_000);
const write = (name: string, text: string, at = old): void => {
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), at, at);
};
/** How many files another process syncs. */
const syncs = (): number => {
  let count = 0;
  new SyncedFiles(folder, (descriptor) => {
    count++;
    fdatasyncSync(descriptor);
  }).sync();
  return count;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seg-synced-'));
  mkdirSync(join(folder, 'base'));
  write('base/1', 'one');
  write('base/2', 'two');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('syncs what has changed since, also by another process', () => {
  expect(syncs()).toBe(2);
  expect(syncs()).toBe(0);
  write('base/2', 'TWO', new Date(old.getTime() + 1000));
  write('base/3', 'three');
  expect(syncs()).toBe(2);
  expect(syncs()).toBe(0);
});

it('syncs a file that took the place of another of the same size and time', () => {
  syncs();
  write('new', 'ONE');
  renameSync(join(folder, 'new'), join(folder, 'base/1'));
  expect(syncs()).toBe(1);
});

it('does not trust a time so young that another write could have left the same', () => {
  write('base/1', 'one', new Date());
  expect(syncs()).toBe(2);
  expect(syncs()).toBe(1);
});

it('syncs everything when its marks are damaged', () => {
  syncs();
  const marks = join(folder, 'seg_synced.json');
  writeFileSync(marks, readFileSync(marks, 'utf8').slice(0, -5));
  expect(syncs()).toBe(2);
});

import { expect, it } from 'vitest';
import { holdsCredentials, masker } from './mask.ts';

const address = 'https://user:pa%24s-word@hooks.example/in?key=s3cr%C3%A9t-1&debug=1';

it('masks an address in all its parts', () => {
  const mask = masker([address]);
  expect(mask(`POST ${address} failed`)).toBe('POST ***** failed');
  expect(mask('no route for POST /in?key=s3cr%C3%A9t-1&debug=1')).toBe('no route for POST *****');
  expect(mask('key s3crét-1 of pa$s-word (s3cr%C3%A9t-1) was refused at hooks.example')).toBe(
    'key ***** of ***** (*****) was refused at hooks.example',
  );
});

it('masks the longest first and nothing short', () => {
  expect(masker(['abcd', 'abcdef', 'on'])('on abcdef abcd')).toBe('on ***** *****');
});

it('knows an address with credentials', () => {
  expect(holdsCredentials(address)).toBe(true);
  expect(holdsCredentials('https://hooks.example/in')).toBe(false);
  expect(holdsCredentials('not an address ? a=b')).toBe(false);
});

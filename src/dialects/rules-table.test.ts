/** The table of docs/engines.md is that of the rules; `npx vitest run src/dialects/rules-table.test.ts -u` writes it anew. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rules } from './lacks-of.ts';
import { withRulesTable } from './rules-table.ts';

it('stands in docs/engines.md', async () => {
  const file = join(import.meta.dirname, '..', '..', 'docs', 'engines.md');
  await expect(withRulesTable(readFileSync(file, 'utf8'), rules.risingwave)).toMatchFileSnapshot(file);
});

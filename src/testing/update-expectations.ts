/** Writes edits into a scenario file's text; everything they do not name stays letter by letter, comments too. Pure. */
import { isMap, isSeq, parseDocument, type Document, type Node, type YAMLSeq } from 'yaml';
import type { ExpectationEdit } from './expectation-edit.ts';

/** The text with all edits made. Edits that no longer fit the text are left out. */
export function applyEdits(text: string, edits: readonly ExpectationEdit[]): string {
  const document = parseDocument(text, { version: '1.1' });
  const splices = edits.flatMap((edit) => splice(text, document, edit) ?? []);
  splices.sort((a, b) => b.from - a.from);
  return splices.reduce((result, { from, to, by }) => result.slice(0, from) + by + result.slice(to), text);
}

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

function splice(text: string, document: Document, edit: ExpectationEdit): Splice | undefined {
  const node = document.getIn(edit.path, true) as Node | undefined;
  if (!node?.range) return undefined;
  const [from, to] = node.range;
  switch (edit.kind) {
    case 'scalar':
      return { from, to, by: edit.text };
    case 'csv': {
      const indent = ' '.repeat(indentOf(text, from) + 2);
      return { from, to, by: `|\n${edit.lines.map((line) => `${indent}${line}\n`).join('')}` };
    }
    case 'list':
      return isSeq(node) ? listSplice(text, document, edit, node) : undefined;
  }
}

function listSplice(
  text: string,
  document: Document,
  edit: Extract<ExpectationEdit, { kind: 'list' }>,
  node: YAMLSeq,
): Splice {
  const [from, to] = node.range!;
  const ranges = node.items.map((item) => (item as Node).range!);
  if (node.flow === true) {
    const items = edit.items.map((item) =>
      typeof item === 'string' ? item : text.slice(ranges[item]![0], ranges[item]![1]),
    );
    const inline = `[${items.join(', ')}]`;
    const column = from - (text.lastIndexOf('\n', from) + 1);
    if (items.length <= 1 || (column + inline.length <= 110 && !inline.includes('\n')))
      return { from, to, by: inline };
    const indent = ' '.repeat(indentOf(text, from) + 2);
    const by = inFlow(document, edit.path)
      ? `[\n${items.map((item) => `${indent}${item},\n`).join('')}${indent.slice(2)}]`
      : `\n${items.map((item) => `${indent}- ${item}`).join('\n')}`;
    // Nothing may stand between the key's colon and the line break of a block.
    return by.startsWith('\n') ? { from: text.slice(0, from).trimEnd().length, to, by } : { from, to, by };
  }
  if (edit.items.length === 0)
    return { from: text.slice(0, from).trimEnd().length, to: lastEnd(text, to), by: ' []' };
  // An item goes from its dash's line to the next one's, so that comments stay with what they follow.
  const starts = ranges.map(([start]) => text.lastIndexOf('-', start - 1));
  const indent = ' '.repeat(starts[0]! - (text.lastIndexOf('\n', starts[0]) + 1));
  const end = lastEnd(text, to);
  const chunks = starts.map((start, i) =>
    text.slice(start, i + 1 < starts.length ? starts[i + 1] : end).trimEnd(),
  );
  const items = edit.items.map((item) => (typeof item === 'string' ? `- ${item}` : chunks[item]!));
  return { from: starts[0]!, to: end, by: items.join(`\n${indent}`) };
}

/** The end of a block without the blank lines that follow it. */
function lastEnd(text: string, to: number): number {
  return text.slice(0, to).trimEnd().length;
}

function indentOf(text: string, at: number): number {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return /^(?: |- )*/.exec(line)![0].length;
}

function inFlow(document: Document, path: readonly (string | number)[]): boolean {
  return path.some((_, depth) => {
    const node = document.getIn(path.slice(0, depth), true);
    return (isMap(node) || isSeq(node)) && node.flow === true;
  });
}

/** The rules of an engine as the table of docs/engines.md. */
import type { Effect, Rule } from './rule.ts';

const words: Readonly<Record<Effect, string>> = {
  value: 'another answer (SEG441)',
  some: 'another answer for some values (SEG442)',
  text: 'the same value, written otherwise (SEG442)',
  refused: 'refused (SEG433)',
};
const order: readonly Effect[] = ['value', 'some', 'text', 'refused'];

const BEGIN = '<!-- rules of RisingWave: written by src/dialects/rules-table.test.ts -->';
const END = '<!-- end of the rules -->';

/** A document with the table between its marks. */
export function withRulesTable(document: string, rules: readonly Rule[]): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the document has no marks for the table');
  return `${document.slice(0, from + BEGIN.length)}\n\n${tableOf(rules)}\n\n${document.slice(to)}`;
}

function tableOf(rules: readonly Rule[]): string {
  const rows = order.flatMap((effect) =>
    rules
      .filter((rule) => rule.effect === effect)
      .map((rule) => [
        rule.what,
        code(rule.example),
        (rule.answers ?? ['', '']).map(code).join(' / '),
        rule.rewrite === undefined ? words[effect] : `written so that both agree; else ${words[effect]}`,
        rule.remedy,
      ]),
  );
  const head = ['what', 'example', 'PostgreSQL / RisingWave', 'seg', 'instead'];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(cell).join(' | ')} |`)
    .join('\n');
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function cell(text: string): string {
  return text === ' / ' ? '' : text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** Statements without what differs between runs, once each, in the order of their first appearance. */
export function templates(statements: readonly string[]): string[] {
  // How often a claim is touched depends on the time that the work takes.
  const steady = statements.filter((sql) => !/^UPDATE "[^"]+"\."claim" /.test(sql));
  return [...new Set(steady.map(template))];
}

function template(sql: string): string {
  // Who holds a claim or a range of positions is a new UUID each time; others are of the data.
  const owned = /"(claim|position_range)"/.test(sql);
  return (owned ? sql.replace(/'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'/g, "'owner'") : sql)
    .replace(/__seg_[0-9a-f]{8}/g, '__seg_00000000')
    .replace(/(?<='owner', )'[^']*', \d+, 0\)/, "'host', 1, 0)")
    .replace(/(?<='owner', )\d+, \d+, '[^']*', \d+\)/, "1, 1000, 'host', 1)")
    .replace(/[ (]VALUES\s*\([\s\S]*$/, shortened)
    .replace(/'\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-]\d\d(:?\d\d)?)?'/g, "'2026-01-01T00:00:00.000Z'")
    .replace(/"version" < \d+/, '"version" < 1')
    .replace(/SINCE \d+|AS OF \d+/, (text) => text.replace(/\d+/, '1700000000000'))
    .trimEnd();
}

/** One row of VALUES stands for all. */
function shortened(whole: string): string {
  if (/^ VALUES\s*\('(model|seed|source|test|subscription)\./.test(whole))
    return " VALUES ('unique_id', 1, 'fingerprint', '{node}')";
  const end = endOfRow(whole, whole.indexOf('('));
  const last = endOfRows(whole, end);
  return whole.slice(0, end) + whole.slice(last);
}

/** After the bracket that closes the one at `start`, outside of literals. */
function endOfRow(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "'") at = text.indexOf("'", at + 1);
    else if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfRows(text: string, start: number): number {
  let end = start;
  for (let next = /^,\s*\(/.exec(text.slice(end)); next !== null; next = /^,\s*\(/.exec(text.slice(end)))
    end = endOfRow(text, end + next[0].length - 1);
  return end;
}

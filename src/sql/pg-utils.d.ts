declare module 'pg/lib/utils.js' {
  const utils: { escapeIdentifier(name: string): string; escapeLiteral(value: string): string };
  export default utils;
}

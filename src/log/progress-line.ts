/**
 * dbt's progress line: `3 of 6 OK created sql view model dev.x .......... [CREATE VIEW in 0.04s]`, the text padded
 * with dots to `width` or cut to fit it. (dbt: task/printer.py, format_fancy_output_line.)
 */
export function progressLine(
  text: string,
  status: string,
  options: { index?: number; total?: number; seconds?: number; width?: number } = {},
): string {
  const width = options.width ?? 80;
  const progress =
    options.index === undefined ? '' : `${options.index} of ${options.total ?? options.index} `;
  const prefix = `${progress}${text} `;
  const fits = width - 3;
  const justified = prefix.length > fits ? `${prefix.slice(0, fits)}...` : prefix.padEnd(width, '.');
  const time = options.seconds === undefined ? '' : ` in ${options.seconds.toFixed(2)}s`;
  return `${justified} [${status}${time}]`;
}

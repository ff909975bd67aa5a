/** Jinja's `urlize` over text that is already escaped. */

export interface UrlizeOptions {
  readonly limit: number | undefined;
  readonly target: string | undefined;
  readonly rel: string;
  readonly schemes: readonly string[];
}

const WEB =
  /^((https?:\/\/|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?:\/\/)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))(?::[\d]{1,5})?(?:[/?#]\S*)?$/i;
const MAIL = /^\S+@\w[\w.-]*\.\w+$/;
const HEAD = /^(?:[(<]|&lt;)+/;
const TAIL = /(?:[)>.,\n]|&gt;)+$/;

export function linkUrls(text: string, { limit, target, rel, schemes }: UrlizeOptions): string {
  const attributes = `${rel === '' ? '' : ` rel="${rel}"`}${target === undefined ? '' : ` target="${target}"`}`;
  const trim = (url: string) =>
    limit !== undefined && url.length > limit ? `${url.slice(0, limit)}...` : url;
  return text
    .split(/(\s+)/)
    .map((word) => {
      const head = HEAD.exec(word)?.[0] ?? '';
      let middle = word.slice(head.length);
      let tail = '';
      const match = /[)>.,\n]$|&gt;$/.test(middle) ? TAIL.exec(middle) : null;
      if (match !== null) {
        tail = match[0];
        middle = middle.slice(0, match.index);
      }
      for (const [open, close] of [
        ['(', ')'],
        ['<', '>'],
        ['&lt;', '&gt;'],
      ] as const) {
        let missing = middle.split(open).length - middle.split(close).length;
        for (; missing > 0 && tail.includes(close); missing--) {
          const end = tail.indexOf(close) + close.length;
          middle += tail.slice(0, end);
          tail = tail.slice(end);
        }
      }
      if (WEB.test(middle)) {
        const url = /^https?:\/\//.test(middle) ? middle : `https://${middle}`;
        middle = `<a href="${url}"${attributes}>${trim(middle)}</a>`;
      } else if (middle.startsWith('mailto:') && MAIL.test(middle.slice(7))) {
        middle = `<a href="${middle}">${middle.slice(7)}</a>`;
      } else if (
        middle.includes('@') &&
        !middle.startsWith('www.') &&
        !middle.includes(':') &&
        MAIL.test(middle)
      ) {
        middle = `<a href="mailto:${middle}">${middle}</a>`;
      } else if (schemes.some((scheme) => middle !== scheme && middle.startsWith(scheme))) {
        middle = `<a href="${middle}"${attributes}>${middle}</a>`;
      }
      return head + middle + tail;
    })
    .join('');
}

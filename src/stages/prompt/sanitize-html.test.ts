import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import { sanitizeHtml } from './sanitize-html.ts';

/** All that may ever stand in angle brackets. */
const ours =
  /<br>|<\/?(?:b|code|em|i|li|ol|p|strong|ul)>|<a href="(?:https?:\/\/|mailto:)[^"<>]*" rel="noopener">|<\/a>/gi;

function expectSafe(html: string): void {
  const safe = sanitizeHtml(html);
  expect(safe.replace(ours, '')).not.toMatch(/[<>]/);
  expect(sanitizeHtml(safe)).toBe(safe);
  const open: string[] = [];
  for (const [tag, end, name] of safe.matchAll(/<(\/?)([a-z]+)[^>]*>/g)) {
    if (tag === '<br>') continue;
    if (end === '') open.push(name ?? '');
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

const cleaned = [
  ['plain text', "It's <b>bold</b>", "It's <b>bold</b>"],
  ['an ampersand', 'Terms & conditions &copy; 2025', 'Terms &amp; conditions &copy; 2025'],
  ['attributes', '<b onclick="x()" class=y>Hi</b>', '<b>Hi</b>'],
  ['upper case', '<STRONG>Hi</STRONG><BR/>', '<strong>Hi</strong><br>'],
  ['an open element', '<p><em>Hi', '<p><em>Hi</em></p>'],
  ['wrong nesting', '<b><i>Hi</b></i>!', '<b><i>Hi</i></b>!'],
  ['a stray end', 'Hi</div></p>', 'Hi'],
  ['an element that is not allowed', '<h1>Hi</h1>', 'Hi'],
  ['less than', '1 < 2 > 1', '1 &lt; 2 &gt; 1'],
  [
    'a link',
    '<a href="https://x.example/?a=1&b=2" target=_top>x</a>',
    '<a href="https://x.example/?a=1&amp;b=2" rel="noopener">x</a>',
  ],
  ['a mail link', "<a href='mailto:a@x.example'>x</a>", '<a href="mailto:a@x.example" rel="noopener">x</a>'],
  [
    'a link in a link',
    '<a href=https://a.example>a<a href=https://b.example>b</a></a>',
    '<a href="https://a.example" rel="noopener">ab</a>',
  ],
  ['a comment', 'a<!-- <b>x</b> -->b', 'ab'],
  ['a script with its content', 'a<script>alert(1)</script>b', 'ab'],
  ['a style with its content', 'a<style>p{}</style >b', 'ab'],
] as const;

const attacks = [
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<svg><script>alert(1)//',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<script\n>alert(1)</script\t>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="java\nscript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href=" javascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href="//evil.example">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href=https://x.example"onmouseover="alert(1)">x</a>',
  `<a href='https://x.example"onmouseover="alert(1)'>x</a>`,
  '<a title="href=https://x" href="javascript:alert(1)">x</a>',
  '<a href="https://x.example" onclick="alert(1)">x</a>',
  '<b/onmouseover=alert(1)>x',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<math><mi xlink:href="javascript:alert(1)">',
  '<!--><img src=x onerror=alert(1)>-->',
  '<![CDATA[<img src=x onerror=alert(1)>]]>',
  '<?xml <img src=x onerror=alert(1)> ?>',
  '<p style="background:url(javascript:alert(1))">x',
  '<form action=javascript:alert(1)><button>x',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<a\u0000href="https://x">x</a>',
  '<<b>script>alert(1)<</b>/script>',
  '<b <script>alert(1)</script>>x</b>',
];

describe('sanitizeHtml (PR-11)', () => {
  it.each(cleaned)('%s', (_, html, safe) => {
    expect(sanitizeHtml(html)).toBe(safe);
  });

  it.each(attacks)('leaves nothing that runs: %s', (html) => {
    expectSafe(html);
    expect(sanitizeHtml(html).replace(ours, '')).not.toMatch(/<|>/);
  });

  it('gives only its own elements, closed, whatever comes in; twice is once', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '</',
        '/>',
        '"',
        "'",
        '&',
        ';',
        ' ',
        '=',
        '<!--',
        '-->',
        '<script',
        '</script>',
        '<style>',
      ),
      fc.constantFrom(
        '<b>',
        '</b>',
        '<p class=x>',
        '</p>',
        '<br>',
        '<ul><li>',
        '<a href="https://x">',
        '<a href=',
        '</a>',
      ),
      fc.constantFrom('javascript:', 'https://x', 'onload=x', '&#106;', '&amp', '&lt;', 'href'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => expectSafe(pieces.join(''))));
  });
});

import { type Text, text as textOf } from './text.ts';

/** What a User-Agent header contains, in the order of asking: the later names occur in the earlier ones' headers too. */
const browsers: readonly (readonly [mark: string, name: string])[] = [
  ['Edg', 'Edge'],
  ['OPR/', 'Opera'],
  ['Opera', 'Opera'],
  ['SamsungBrowser', 'Samsung Internet'],
  ['Vivaldi', 'Vivaldi'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['CriOS', 'Chrome'],
  ['Chrome', 'Chrome'],
  ['Chromium', 'Chromium'],
  ['Safari', 'Safari'],
];

const systems: readonly (readonly [mark: string, name: string])[] = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['CrOS', 'ChromeOS'],
  ['Mac OS X', 'Mac'],
  ['Macintosh', 'Mac'],
  ['Linux', 'Linux'],
];

/** A User-Agent header in words: "Firefox on Windows", "Safari on iPhone". It only searches, so any header is cheap. */
export function deviceText(agent: string): Text {
  const text = agent.slice(0, 500);
  const find = (table: typeof browsers) => table.find(([mark]) => text.includes(mark))?.[1];
  const [browser, system] = [find(browsers), find(systems)];
  if (browser !== undefined && system !== undefined) return textOf('account.browser_on', { browser, system });
  const program = /^[A-Za-z][\w.-]{0,30}(?=\/)/.exec(text)?.[0];
  if (browser === undefined && program !== undefined && program !== 'Mozilla') return program;
  return browser ?? system ?? textOf('account.unknown_browser');
}

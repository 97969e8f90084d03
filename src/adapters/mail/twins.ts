/** A letter as text and as HTML, which say the same. */
import type { Locale } from '../../protocol/localize.ts';
import type { Letter } from './letter.ts';

/** A message as it is sent. */
export interface Twins {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function twinsOf(letter: Letter, brand: string, locale: Locale): Twins {
  return { subject: letter.subject, text: textOf(letter, brand), html: htmlOf(letter, brand, locale) };
}

function textOf({ greeting, sentence, action, url, code, codeNote, notes }: Letter, brand: string): string {
  return [
    ...[greeting, sentence],
    ...(url === '' ? [] : [`${action}:\n${url}`]),
    ...(code === '' ? [] : [`${codeNote}\n\n    ${code}`]),
    ...notes,
    brand,
  ].join('\n\n');
}

const ink = '#1c2422';
const quiet = 'color:#5b6663;font-size:14px';

function htmlOf(letter: Letter, brand: string, locale: Locale): string {
  const { subject, greeting, sentence, action, url, code, codeNote, notes } = letter;
  const paragraph = (content: string, style = ''): string =>
    `<p style="margin:0 0 16px;${style}">${escapeHtml(content)}</p>`;
  const button = `<p style="margin:24px 0"><a href="${escapeHtml(url)}" style="background:${ink};color:#ffffff;padding:12px 20px;border-radius:8px;text-decoration:none;display:inline-block">${escapeHtml(action)}</a></p>`;
  const digits = `<p style="margin:0 0 24px;font:600 28px/1.3 ui-monospace,monospace;letter-spacing:4px">${escapeHtml(code)}</p>`;
  return [
    `<!doctype html><html lang="${locale}"><head><meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(subject)}</title></head>`,
    '<body style="margin:0;background:#f1f3f1">',
    `<div style="max-width:34em;margin:0 auto;padding:32px 24px;background:#ffffff;color:${ink};font:16px/1.5 system-ui,sans-serif">`,
    `<p style="margin:0 0 24px;font-weight:600">${escapeHtml(brand)}</p>`,
    ...[paragraph(greeting), paragraph(sentence)],
    ...(url === '' ? [] : [button]),
    ...(code === '' ? [] : [paragraph(codeNote), digits]),
    ...notes.map((note) => paragraph(note, quiet)),
    '</div></body></html>',
  ].join('\n');
}

/** Text as it stands in HTML, also inside a quoted attribute. */
export function escapeHtml(content: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return content.replace(/[&<>"']/g, (character) => names[character] ?? character);
}

import { describe, expect, it } from 'vitest';
import { attackOnSqlite } from '../support/attacked-site.ts';
import { hiddenFields, signUp } from '../support/web-client.ts';

const payloads = [
  '{{7*7}}',
  '{% for x in y %}{{ x }}{% endfor %}',
  '$'.concat('{7*7}'),
  '#{7*7}',
  '<%= 7*7 %>',
  '%(password)s%(user)s',
  '%s%n%x{0}',
  '{{url}}{{code}}{name}',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><svg onload=alert(1)>',
  '{{constructor.constructor("return process")()}}',
  'javascript:alert(1)',
  '<a href="https://evil.example/">Sign in</a>',
  '\u202Ezyx',
];

attackOnSqlite('injection', {}, (site) => {
  describe('template injection', () => {
    it.each(payloads)('a name of %j is text in every page and mail', async (payload) => {
      const username = `u${payloads.indexOf(payload)}-${payload}`;
      const address = `u${payloads.indexOf(payload)}@example.com`;
      const browser = site.browser();
      await browser.open('default-enrollment-flow');
      await browser.answer({ ...signUp('x'), username, name: payload, email: address });
      expect(await browser.whoAmI()).toBe(username);
      const agent = { 'user-agent': payload.replace(/[^\x20-\x7e]/g, '') };
      const pages = [
        await browser.request('/if/user/', { headers: agent }),
        await browser.request('/if/flow/default-user-settings-flow/'),
        await browser.request('/if/flow/default-password-change/'),
        await browser.request('/if/flow/default-unenrollment-flow/'),
      ];
      const asking = site.browser();
      const path = '/if/flow/default-recovery-flow/';
      const fields = hiddenFields((await asking.request(path)).text);
      await asking.submit(path, { ...fields, uid_field: address }, agent);
      const letter = await site.proof(address);
      const link = new URL(letter.link);
      const opening = site.browser();
      pages.push(
        await asking.request(path),
        await opening.request(`${link.pathname}${link.search}`, { headers: agent }),
      );
      for (const page of pages) {
        expect(page.status).toBe(200);
        expectPlain(page.text);
      }
      expect(pages.map(({ text }) => text).join('')).not.toMatch(/\b49\b(?!;)/);
      expectPlain(letter.html);
      expect(letter.html.match(/href="(?!http:\/\/localhost)/g)).toBeNull();
      const subject = letter.headers.get('subject') ?? '';
      expect(subject).not.toMatch(/[\r\n]/);
      for (const text of [letter.text, subject]) expect(text).not.toContain('evil.example');
      expect(letter.to).toEqual([address]);
    });

    it.each(['a\r\nBcc: thief@example.org', 'a\nSubject: other', 'a\u2028b', '=?utf-8?q?evil?='])(
      'header injection: a name of %j adds no header to a mail, and nobody to whom it goes',
      async (name) => {
        const index = name.length;
        const address = `h${index}@example.com`;
        const browser = site.browser();
        await browser.open('default-enrollment-flow');
        await browser.answer({ ...signUp(`h${index}`), name, email: address });
        const asking = site.browser();
        await asking.open('default-recovery-flow');
        await asking.answer({ uid_field: address });
        const letter = await site.proof(address);
        expect(letter.to).toEqual([address]);
        expect(letter.headers.has('bcc')).toBe(false);
        expect(letter.headers.get('subject')).not.toContain('other');
      },
    );
  });
});

/** No script, handler or address of an attacker's in it; what stands inside of quotes is a value. */
function expectPlain(page: string): void {
  const outside = page.replace(/="[^"]*"/g, '=""');
  expect(outside).not.toMatch(/<script(?!(?: \w+(?:="")?)* src="")/i);
  expect(outside).not.toMatch(/<[^>]*\son\w+=/i);
  expect(page).not.toMatch(/ href="(?:javascript:|https:\/\/evil)/i);
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createSmtp } from '../../src/adapters/mail/smtp.ts';
import { createTemplates } from '../../src/adapters/mail/templates.ts';
import type { Terminal } from '../../src/cli/command.ts';
import { mailList, mailPreview, mailShow } from '../../src/cli/commands/mail.ts';
import { readEnvironment } from '../../src/cli/environment.ts';
import { optionsOf } from '../../src/cli/open.ts';
import { type Mail, mailEffect, mailTemplates, noticeSubjects } from '../../src/engine/mail.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import { openDriver, openStore } from '../../src/store/open.ts';
import { createRig } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { closedPort, openMailServer } from '../support/mail-server.ts';

const secretKey = 'the secret key of a test which is no secret';
const start = Date.UTC(2025, 0, 1, 12);
const url = 'https://id.example/if/flow/recovery/?flow_token=abc';
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-mail-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function letter(more: Partial<Mail> = {}): Mail {
  return {
    ...{ template: 'recovery', locale: 'en', to: { name: 'Ada Lovelace', address: 'ada@example.com' } },
    values: {
      url,
      code: '123456',
      expires: start + 1_800_000,
      username: 'ada',
      device: agent,
      place: '192.0.2.1',
      time: start,
    },
    ...more,
  };
}

describe('a message', () => {
  const templates = createTemplates('Example', null);

  it.each([...mailTemplates])('%s says the same as text and as HTML, in both languages', (template) => {
    for (const locale of ['en', 'de'] as const) {
      const { subject, text, html } = templates.write(letter({ template, locale }));
      const shown = html
        .replace(/<[^>]+>/g, ' ')
        .replace(/&quot;/g, '"')
        .replace(/&#39;/g, "'");
      for (const part of text.split('\n\n').flatMap((lines) => lines.split('\n')))
        if (!part.startsWith('https:')) expect(shown).toContain(part.trim().replace(/:$/, ''));
      expect([subject, text, html].join()).not.toMatch(/\{\w+\}|undefined/);
      expect(subject).toContain('Example');
      expect(html.includes(`href="${url}"`)).toBe(template !== 'notice');
    }
  });

  it.each([...noticeSubjects])('notice %s has its own words in both languages', (about) => {
    const written = (['en', 'de'] as const).map((locale) =>
      templates.write(letter({ template: 'notice', locale, values: { about, username: 'ada', time: start } })),
    );
    for (const { subject, text } of written) expect(subject + text).not.toMatch(/\{\w+\}|undefined/);
    expect(written[0]?.text).not.toBe(written[1]?.text);
  });

  it('shows what strangers typed as text: no HTML, no template, no header of theirs (template injection)', () => {
    const odd = '<script>alert(1)</script>{{ url }}{% if %}#{7*7}{brand}';
    const values = { ...letter().values, username: odd, place: odd, device: `${odd}/1` };
    const { html, text } = templates.write(letter({ values }));
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;{{ url }}{% if %}#{7*7}{brand}');
    expect(text).toContain(odd);
    const own = createTemplates('Example', folderWith({ 'recovery.html': '<a href="{{ url }}">{{ username }}</a>' }));
    expect(own.write(letter({ values: { ...values, username: '{{ code }}' } })).html).toBe(
      `<a href="${url}">{{ code }}</a>`,
    );
  });

  it.each(['Win at https://evil.example now', 'evil.example/win', 'www.evil', 'a@evil.example', 'x'.repeat(61)])(
    'does not greet by a name that is a message of its own: %s',
    (name) => {
      expect(templates.write(letter({ to: { name, address: 'ada@example.com' } })).text).not.toContain(name);
    },
  );

  it('has no second line in its name or address (header injection, EM-2)', () => {
    const to = { name: 'Ada\r\nBcc: all@example.com\u2028x', address: 'ada@example.com\r\nRCPT TO:<b@example.com>' };
    const effect = mailEffect(letter({ to }), 1, start);
    expect(effect.kind === 'outbox' ? effect.message.payload.to : null).toEqual({
      name: 'Ada Bcc: all@example.com x',
      address: 'ada@example.com RCPT TO:<b@example.com>',
    });
  });
});

describe('templates in a folder', () => {
  it('stand in place of the product’s own, by language', () => {
    const folder = folderWith({
      'recovery.txt': 'Subject: Reset, {{ username }}\n\nGo to {{ url }} until {{ expires }}.',
      'recovery.de.txt': 'Auf zu {{url}}',
      'welcome.html': '<p>{{ brand }}</p>',
      'notes.md': '{{ ignored }}',
    });
    const templates = createTemplates('Example', folder);
    const english = templates.write(letter());
    expect(english.subject).toBe('Reset, ada');
    expect(english.text).toBe(`Go to ${url} until Jan 1, 2025, 12:30 PM UTC.`);
    expect(templates.write(letter({ locale: 'de' })).text).toBe(`Auf zu ${url}`);
    expect(templates.has('email/welcome.html')).toBe(true);
    expect(templates.has('email/password_reset.html')).toBe(true);
    expect(templates.has('email/other.html')).toBe(false);
  });

  it.each([
    ['{{ secret }}', 'recovery.html: there is no value "secret"'],
    ['{% load i18n %}', 'recovery.html: "{%" is not understood'],
    ['{{ url|safe }}', 'recovery.html: "{{" is not understood'],
  ])('are refused at start when they hold %s', (content, why) => {
    expect(() => createTemplates('Example', folderWith({ 'recovery.html': content }))).toThrow(why);
  });

  it('are refused when the folder is missing', () => {
    expect(() => createTemplates('Example', '/nowhere/at/all')).toThrow(/mail templates of \/nowhere/);
  });
});

describe('an invitation', () => {
  it('says what holds for a link that nobody asked for, and of no code', () => {
    const { text } = createTemplates('Example', null).write(letter({ template: 'invitation', values: { url } }));
    expect(text).toContain('If you do not want it, ignore this message. Give the link to nobody.');
    expect(text).not.toMatch(/If this was not you|code/);
  });
});

describe('a mail server', () => {
  it('gets the message with sender, subject and an id that stays, as text and HTML', async () => {
    const server = await openMailServer();
    closers.push(() => server.close());
    const smtp = createSmtp(server.url, 'Example <no-reply@id.example>');
    closers.push(() => smtp.close());
    const written = createTemplates('Example', null).write(letter({ locale: 'de', template: 'confirmation' }));
    expect(await smtp.send('one', letter(), written)).toBeNull();
    const mail = await server.next();
    expect([mail.from, mail.to]).toEqual(['no-reply@id.example', ['ada@example.com']]);
    expect(mail.headers.get('message-id')).toBe('<one@id.example>');
    expect(mail.headers.get('subject')).toBe('Bestätigen Sie Ihre E-Mail-Adresse für Example');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect([mail.link, mail.code]).toEqual([url, '123456']);
    expect(mail.html).toContain('Bestätigen');
  });

  it('says why it took nothing, in codes alone', async () => {
    const server = await openMailServer();
    closers.push(() => server.close());
    server.answer = () => 550;
    const written = createTemplates('Example', null).write(letter());
    const smtp = createSmtp(server.url, 'no-reply@id.example');
    const gone = createSmtp(await closedPort(), 'no-reply@id.example');
    closers.push(
      () => smtp.close(),
      () => gone.close(),
    );
    expect(await smtp.send('one', letter(), written)).toEqual({ why: 'the mail server: EENVELOPE 550', forGood: true });
    expect(await gone.send('one', letter(), written)).toMatch(/^the mail server: E/);
  });

  it.each(['http://example.com', 'localhost:25', 'smtp:'])('is not %s', (address) => {
    expect(() => createSmtp(address, 'a@example.com')).toThrow('smtp://host:port');
  });

  it('needs a sender that is an address', () => {
    expect(() => createSmtp('smtp://user:word@h', 'nobody')).toThrow('mail.from');
    expect(() => createSmtp('smtp://h', 'a\r\nBcc: b@example.com')).toThrow('mail.from');
  });
});

describe.each(['sqlite', 'postgres'] as const)('mail out of the outbox on %s', (dialect) => {
  async function opened(smtp?: string) {
    const clock = new ManualClock(start);
    const { database, remove } = await emptyDatabase(dialect);
    closers.push(remove);
    const store = await openStore({ database, keyring: new Keyring(secretKey), clock });
    closers.push(() => store.close());
    const leave = (mail: Mail, nobody = false) =>
      store.commit({ id: crypto.randomUUID(), runs: [], effects: [mailEffect(mail, null, clock.now(), nobody)] });
    const rig = await createRig({ database, secretKey, clock, ...(smtp === undefined ? {} : { mail: { smtp } }) });
    closers.push(() => rig.close());
    const driver = await openDriver(database);
    closers.push(() => driver.close());
    const left = async () =>
      (await driver.read({ text: 'SELECT 1 FROM doorward_outbox WHERE sent_at IS NULL', params: [] })).length;
    return { clock, store, rig, leave, left };
  }

  it('leaves by the mail server; what nobody needs any more does not', async () => {
    const server = await openMailServer();
    closers.push(() => server.close());
    const { leave, left } = await opened(server.url);
    await leave(letter({ to: { name: '', address: 'late@example.com' }, until: start - 1 }));
    await leave(letter({ to: { name: '', address: 'nobody@example.com' } }), true);
    await leave(letter({ until: start + 1 }));
    expect((await server.next()).to).toEqual(['ada@example.com']);
    // A stand-in's message as well takes its way out of the outbox, though none into the world.
    await expect.poll(left).toBe(0);
    expect(server.received).toHaveLength(1);
  });

  it('waits to be tried again when the server refuses it', async () => {
    const server = await openMailServer();
    closers.push(() => server.close());
    const { clock, leave, rig } = await opened(server.url);
    let refusals = 0;
    server.answer = () => (refusals++ === 0 ? 451 : null);
    await leave(letter());
    await expect
      .poll(async () => (await rig.auth.outbox.list())[0])
      .toMatchObject({ to: 'ada@example.com', kind: 'mail', tries: 1, lastError: 'the mail server: EENVELOPE 451' });
    clock.advance(10_000);
    expect((await server.next()).to).toEqual(['ada@example.com']);
  });

  it('is set aside at once when its address is refused for good, and later ones of the user go on', async () => {
    const server = await openMailServer();
    closers.push(() => server.close());
    const { store, rig } = await opened(server.url);
    let refusals = 0;
    server.answer = () => (refusals++ === 0 ? 550 : null);
    const effects = ['gone@example.com', 'ada@example.com'].map((address) =>
      mailEffect(letter({ to: { name: '', address } }), 1, start),
    );
    for (const effect of effects) await store.commit({ id: crypto.randomUUID(), runs: [], effects: [effect] });
    expect((await server.next()).to).toEqual(['ada@example.com']);
    const [kept] = await rig.auth.outbox.list();
    expect(kept).toMatchObject({ to: 'gone@example.com', state: 'set_aside', tries: 1 });
  });

  it('without a server it is kept, and nothing is kept for nobody', async () => {
    const { leave, store } = await opened();
    await leave(letter());
    await leave(letter(), true);
    expect(await store.outbox.counts()).toEqual({ waiting: 1, setAside: 0 });
  });
});

describe('doorward mail', () => {
  async function command(
    run: (terminal: Terminal) => Promise<unknown>,
    env: Record<string, string>,
  ): Promise<string[]> {
    const lines: string[] = [];
    const terminal = { env, print: (line: string) => lines.push(line), note: (line: string) => lines.push(line) };
    await run(terminal as unknown as Terminal);
    return lines;
  }

  it('lists, shows and previews what waits', async () => {
    const env = { DOORWARD_DATA_DIR: folderWith({}), DOORWARD_SECRET_KEY: secretKey };
    const call = { operands: [] as string[], options: {} };
    expect(await command((terminal) => mailList.run({ ...call, terminal }), env)).toEqual(['No mail waits here.']);
    const { database } = readEnvironment(env);
    const store = await openStore({ database, keyring: new Keyring(secretKey), clock: { now: () => start } });
    await store.commit({ id: 'one', runs: [], effects: [mailEffect(letter(), null, start)] });
    await store.close();
    const [line] = await command((terminal) => mailList.run({ ...call, terminal }), env);
    expect(line).toContain('ada@example.com  Set a new password for Doorward');
    const id = given(line?.split(' ')[0]);
    const shown = await command((terminal) => mailShow.run({ ...call, operands: [id], terminal }), env);
    expect(shown).toContain(url);
    const preview = { ...call, operands: ['notice:email_changed'], options: { locale: 'de' } };
    expect((await command((terminal) => mailPreview.run({ ...preview, terminal }), env))[0]).toContain('ada');
    expect(await command((terminal) => mailPreview.run({ ...call, terminal }), env)).toContain('recovery');
  });

  it('reads the server, the sender and the templates from the environment', () => {
    const env = {
      ...{
        DOORWARD_DATA_DIR: folderWith({}),
        DOORWARD_SMTP_URL: 'smtp://mail:25',
        DOORWARD_MAIL_FROM: 'a@example.com',
      },
      DOORWARD_MAIL_TEMPLATES: '/templates',
    };
    const mail = (more: Record<string, string> = {}) =>
      optionsOf(readEnvironment({ ...env, ...more }), () => undefined).mail;
    expect(mail()).toEqual({ smtp: 'smtp://mail:25', from: 'a@example.com', templates: '/templates' });
    expect(mail({ DOORWARD_HOST: '0.0.0.0' })?.refused).toContain('DOORWARD_PUBLIC_URL');
    expect(mail({ DOORWARD_HOST: '0.0.0.0', DOORWARD_PUBLIC_URL: 'https://id.example' })?.refused).toBeUndefined();
  });
});

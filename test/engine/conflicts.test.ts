import { expect, test } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { rigOnEachDatabase, signIn } from '../support/each-database.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { hiddenFields } from '../support/web-client.ts';

const own = { designation: 'stage_configuration', authentication: 'require_authenticated' };
const write = { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } };
const optional = { required: false, prefill: true };

/** A profile as one form: a name, an address, and two attributes that share their top-level attribute. */
const profile = flowYaml({
  slug: 'profile',
  attrs: own,
  stages: [
    {
      kind: 'prompt',
      fields: [
        { field_key: 'name', ...optional },
        { field_key: 'email', type: 'email', ...optional },
        { field_key: 'attributes.contact.phone', ...optional },
        { field_key: 'attributes.contact.city', ...optional },
        { field_key: 'attributes.subscribed', type: 'checkbox', ...optional },
      ],
    },
    write,
  ],
});

/** Two forms: what is changed while the second one is shown may concern the first. */
const twoForms = flowYaml({
  slug: 'two-forms',
  attrs: own,
  stages: [
    { kind: 'prompt', fields: [{ field_key: 'name', prefill: true }] },
    { kind: 'prompt', fields: [{ field_key: 'attributes.contact.city', ...optional }] },
    write,
  ],
});

/** Somebody who is not signed in names the account after the form; nothing is proved of them. */
const foundLater = flowYaml({
  slug: 'found-later',
  stages: [
    { kind: 'prompt', fields: [{ field_key: 'attributes.note', ...optional }] },
    { kind: 'identification', attrs: { user_fields: ['username'] } },
    write,
  ],
});
const foundFirst = flowYaml({
  slug: 'found-first',
  stages: [
    { kind: 'identification', attrs: { user_fields: ['username'] } },
    { kind: 'prompt', fields: [{ field_key: 'attributes.note', ...optional }] },
    write,
  ],
});

const slots = Array.from({ length: 20 }, (_, index) => index);
const slotFlows = slots.map((slot) =>
  flowYaml({
    slug: `slot-${slot}`,
    attrs: own,
    stages: [{ kind: 'prompt', fields: [{ field_key: `attributes.slots.s${slot}`, ...optional }] }, write],
  }),
);

const options = { blueprints: [profile, twoForms, foundLater, foundFirst, ...slotFlows], rateLimits: false };

rigOnEachDatabase('W31: two at once', options, (rig) => {
  let count = 0;
  /** A user with a profile, signed in. */
  const person = async (): Promise<{ pk: number; username: string; browser: Visitor }> => {
    count += 1;
    const username = `person-${count}`;
    const { id: pk } = await rig().auth.users.create({
      ...{ username, name: 'Ada', email: 'ada@example.org', password: 'correct horse' },
      attributes: { contact: { phone: '1', city: 'Ulm' }, other: { kept: true } },
    });
    return { pk, username, browser: await signIn(rig(), username, 'correct horse') };
  };
  const shown = {
    name: 'Ada',
    email: 'ada@example.org',
    'attributes.contact.phone': '1',
    'attributes.contact.city': 'Ulm',
  };

  test('of one user in two browsers: the same field comes again, and answered again it is taken', async () => {
    const { pk, username, browser: first } = await person();
    const second = await signIn(rig(), username, 'correct horse');
    await first.open('profile');
    await second.open('profile');
    await first.answer({ ...shown, name: 'Ada L.' });
    first.expectEnd();
    await second.answer({ ...shown, name: 'Countess' });
    second.expectProblem('name', 'conflict');
    expect(problemAt(second, 'name')).toContain('“Ada L.”');
    expect(fieldsOf(second)).toMatchObject({ name: { type: 'text', initial_value: 'Countess' } });
    expect(fieldsOf(second).email?.type).toBe('text_read_only');
    expect((await rig().auth.users.get({ pk }))?.name).toBe('Ada L.');
    await second.answer({ name: 'Countess' });
    second.expectEnd();
    expect((await rig().auth.users.get({ pk }))?.name).toBe('Countess');
  });

  test('what one left alone is not put back, and what does not conflict is written', async () => {
    const { pk, browser } = await person();
    await browser.open('profile');
    const contact = { phone: '2', city: 'Ulm' };
    await rig().auth.users.update(pk, { email: 'new@example.org', attributes: { contact, fresh: 1 } });
    await browser.answer({ ...shown, name: 'Ada L.', 'attributes.contact.city': 'Bonn' });
    browser.expectEnd();
    expect(await rig().auth.users.get({ pk })).toMatchObject({
      name: 'Ada L.',
      email: 'new@example.org',
      attributes: { contact: { phone: '2', city: 'Bonn' }, fresh: 1 },
    });
  });

  test('what was removed meanwhile and left alone stays removed', async () => {
    const { pk, browser } = await person();
    await browser.open('profile');
    await rig().auth.users.update(pk, { attributes: {} });
    await browser.answer({ ...shown, name: 'Ada L.' });
    browser.expectEnd();
    const user = await rig().auth.users.get({ pk });
    expect(user?.name).toBe('Ada L.');
    expect(user?.attributes).not.toHaveProperty('contact');
  });

  test('attributes compare leaf by leaf, and the words tell what was removed', async () => {
    const { pk, browser } = await person();
    await browser.open('profile');
    await rig().auth.users.update(pk, { attributes: { contact: { phone: '3' } } });
    await browser.answer({ ...shown, 'attributes.contact.phone': '2', 'attributes.contact.city': 'Bonn' });
    expect(Object.keys(browser.challenge.response_errors ?? {}).sort()).toEqual([
      'attributes.contact.city',
      'attributes.contact.phone',
    ]);
    expect(problemAt(browser, 'attributes.contact.city')).toContain('removed');
    await browser.answer({ 'attributes.contact.phone': '2', 'attributes.contact.city': 'Bonn' });
    browser.expectEnd();
    expect((await rig().auth.users.get({ pk }))?.attributes).toMatchObject({ contact: { phone: '2', city: 'Bonn' } });
  });

  test('both wrote the same: nothing to ask', async () => {
    const { pk, browser } = await person();
    await browser.open('profile');
    await rig().auth.users.update(pk, { name: 'Countess' });
    await browser.answer({ ...shown, name: 'Countess' });
    browser.expectEnd();
  });

  test('changed again before the second answer: it comes again, until the last that was shown is answered', async () => {
    const { pk, browser } = await person();
    await browser.open('profile');
    await rig().auth.users.update(pk, { name: 'One' });
    await browser.answer({ ...shown, name: 'Mine' });
    browser.expectProblem('name', 'conflict');
    await rig().auth.users.update(pk, { name: 'Two' });
    await browser.answer({ name: 'Mine' });
    browser.expectProblem('name', 'conflict');
    expect(problemAt(browser, 'name')).toContain('“Two”');
    await browser.answer({ name: 'Two' });
    browser.expectEnd();
    expect((await rig().auth.users.get({ pk }))?.name).toBe('Two');
  });

  test('the form that asked comes again, not the last one; the other answers are kept', async () => {
    const { pk, browser } = await person();
    await browser.open('two-forms');
    await browser.answer({ name: 'Mine' });
    await rig().auth.users.update(pk, { name: 'Theirs' });
    await browser.answer({ 'attributes.contact.city': 'Bonn' });
    expect(Object.keys(fieldsOf(browser))).toEqual(['name']);
    browser.expectProblem('name', 'conflict');
    await browser.answer({ name: 'Mine' });
    browser.expectEnd();
    expect(await rig().auth.users.get({ pk })).toMatchObject({
      name: 'Mine',
      attributes: { contact: { city: 'Bonn' } },
    });
  });

  test('a form that did not know the user has no baseline: the write wins', async () => {
    const { pk, username } = await person();
    const stranger = rig().visitor();
    await stranger.open('found-later');
    await stranger.answer({ 'attributes.note': 'mine' });
    await rig().auth.users.update(pk, { attributes: { note: 'theirs' } });
    await stranger.answer({ uid_field: username });
    stranger.expectEnd();
    expect((await rig().auth.users.get({ pk }))?.attributes).toEqual({ note: 'mine' });
  });

  test('who proved nothing is not told what stands there now', async () => {
    const { pk, username } = await person();
    const stranger = rig().visitor();
    await stranger.open('found-first');
    await stranger.answer({ uid_field: username });
    await rig().auth.users.update(pk, { attributes: { note: 'theirs' } });
    await stranger.answer({ 'attributes.note': 'mine' });
    stranger.expectProblem('attributes.note', 'conflict');
    expect(JSON.stringify(stranger.challenge)).not.toContain('theirs');
  });

  test('works over pages as well', async () => {
    const { pk, browser } = await person();
    const path = '/if/flow/profile/';
    const fill = async (fields: Record<string, string>): Promise<string> => {
      const shownPage = await (await browser.request(path)).text();
      const response = await browser.request(path, {
        method: 'POST',
        body: new URLSearchParams({ ...hiddenFields(shownPage), ...fields }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: rig().origin },
      });
      return response.status === 303 ? (await browser.request(path)).text() : response.text();
    };
    await browser.request(path);
    await rig().auth.users.update(pk, { name: '<Theirs>' });
    const again = await fill({ ...shown, name: 'Mine' });
    expect(again).toContain('it is now “&lt;Theirs&gt;”');
    expect(again).toContain('value="Mine"');
    await fill({ name: 'Mine' });
    expect((await rig().auth.users.get({ pk }))?.name).toBe('Mine');
  });

  test('20 edits of different attributes of one user at once: none is lost', async () => {
    const { pk, browser } = await person();
    for (const slot of slots) await browser.open(`slot-${slot}`);
    const twins = await Promise.all(
      slots.map(async (slot) => {
        const twin = browser.clone();
        await twin.open(`slot-${slot}`);
        return twin;
      }),
    );
    await Promise.all(twins.map((twin, slot) => twin.answer({ [`attributes.slots.s${slot}`]: `value ${slot}` })));
    for (const twin of twins) twin.expectEnd();
    const attributes = (await rig().auth.users.get({ pk }))?.attributes;
    expect(attributes?.slots).toEqual(Object.fromEntries(slots.map((slot) => [`s${slot}`, `value ${slot}`])));
    expect(attributes?.other).toEqual({ kept: true });
    const known = await rig().auth.users.provenance(pk);
    for (const slot of slots)
      expect(known[`attributes.slots.s${slot}`]).toMatchObject({ origin: { flow: `slot-${slot}` } });
  });

  test('programs and forms at once: each field keeps what was written last or alone', async () => {
    const { pk, browser } = await person();
    await browser.open('profile');
    await Promise.all([
      browser.answer({ ...shown, 'attributes.contact.city': 'Bonn' }),
      ...slots.map((slot) =>
        rig().auth.users.update(pk, slot === 0 ? { email: 'x@example.org' } : { name: `N${slot}` }),
      ),
    ]);
    browser.expectEnd();
    const user = await rig().auth.users.get({ pk });
    expect(user).toMatchObject({ email: 'x@example.org', attributes: { contact: { city: 'Bonn', phone: '1' } } });
    expect(user?.name).toMatch(/^N\d+$/);
  });
});

interface Field {
  readonly field_key: string;
  readonly type: string;
  readonly initial_value: string;
}

function fieldsOf({ challenge }: Visitor): Record<string, Field> {
  const fields = (challenge as { fields?: readonly Field[] }).fields ?? [];
  return Object.fromEntries(fields.map((field) => [field.field_key, field]));
}

function problemAt({ challenge }: Visitor, field: string): string {
  return (challenge.response_errors?.[field] ?? []).map((problem) => problem.string).join();
}

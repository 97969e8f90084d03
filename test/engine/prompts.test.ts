import { expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { field, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const never = write({ user_creation_mode: 'never_create' });
const always = write({ user_creation_mode: 'always_create' });

/* The reference's prompt tests that need the whole way (flow-engine.md 8): what is asked, sent and written. */
onBothDatabases('prompts', (rig) => {
  it('hidden, static and read-only fields: a client cannot change them', async () => {
    const fields = [
      field('username'),
      field('attributes.hidden', { type: 'hidden', initial_value: 'kept' }),
      field('attributes.static', { type: 'static', initial_value: 'kept' }),
      field('attributes.read', { type: 'text_read_only', initial_value: 'kept' }),
      field('attributes.area', { type: 'text_area_read_only', initial_value: 'kept' }),
    ];
    await rig.flow('fixed-fields', [promptFor(...fields), always]);
    const visitor = rig.visitor();
    await visitor.open('fixed-fields');
    const forged = ['hidden', 'static', 'read', 'area'].map((name) => [`attributes.${name}`, 'forged']);
    await visitor.answer({ username: 'fixed fields', ...Object.fromEntries(forged) });
    visitor.expectEnd();
    const attributes = (await rig.find('fixed fields'))?.attributes ?? {};
    expect(Object.values(attributes)).not.toContain('forged');
    expect(attributes).toMatchObject({ hidden: 'kept', read: 'kept', area: 'kept' });
  });

  it('B-7 fields that the stage does not ask are never looked at', async () => {
    await rig.flow('asks-name', [promptFor('username'), always]);
    const visitor = rig.visitor();
    await visitor.open('asks-name');
    await visitor.answer({ username: 'asked', name: 'Sneaked', 'attributes.x': 1, groups: ['x'], is_superuser: true });
    visitor.expectEnd();
    expect(await rig.find('asked')).toMatchObject({ name: '', attributes: {} });
  });

  it('passwords differ: a problem of the whole form; a username that is taken: one of the field', async () => {
    await rig.user('prompt taken');
    const fields = [
      field('username', { type: 'username' }),
      field('password', { type: 'password' }),
      field('password_repeat', { type: 'password' }),
    ];
    await rig.flow('sign-up', [promptFor(...fields), always]);
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    await visitor.answer({ username: 'prompt free', password: 'one password', password_repeat: 'another one' });
    visitor.expectProblem('non_field_errors', 'invalid');
    expect(shownValue(visitor, 'username')).toBe('prompt free');
    expect(JSON.stringify(visitor.challenge)).not.toContain('one password');
    await visitor.answer({ username: 'PROMPT Taken', password: 'one password', password_repeat: 'one password' });
    visitor.expectProblem('username', 'unique');
    await visitor.answer({ username: 'prompt free', password: 'one password', password_repeat: 'one password' });
    visitor.expectEnd();
  });

  it('choices: others are refused; an answer keeps its key and its type on the way to the user', async () => {
    const fields = [
      field('attributes.colour', { type: 'dropdown', choices: ['red', 'green'], required: true }),
      field('attributes.size', { type: 'radio-button-group', choices: ['s', 'm'], required: true }),
      field('attributes.tags', { type: 'multi-select', choices: ['a', 'b', 'c'] }),
      field('attributes.age', { type: 'number' }),
      field('attributes.news', { type: 'checkbox' }),
      field('attributes.born', { type: 'date' }),
    ];
    await rig.user('chooser');
    await rig.flow('choices', [promptFor(...fields), never]);
    const visitor = await rig.signedIn('chooser');
    await visitor.open('choices');
    await visitor.answer({ 'attributes.colour': 'blue', 'attributes.size': 'xl' });
    visitor.expectProblem('attributes.colour', 'invalid_choice');
    visitor.expectProblem('attributes.size', 'invalid_choice');
    await visitor.answer({
      ...{ 'attributes.colour': 'green', 'attributes.size': 'm', 'attributes.tags': ['a', 'c'] },
      ...{ 'attributes.age': 36, 'attributes.news': true, 'attributes.born': '1815-12-10' },
    });
    visitor.expectEnd();
    expect((await rig.find('chooser'))?.attributes).toEqual({
      ...{ colour: 'green', size: 'm', tags: ['a', 'c'], age: 36, news: true, born: '1815-12-10' },
    });
  });

  it('every field of two prompts is kept, the later answer to the same key wins', async () => {
    await rig.flow('two-prompts', [
      promptFor('username', 'name', 'attributes.a'),
      promptFor('name', 'attributes.b'),
      always,
    ]);
    const visitor = rig.visitor();
    await visitor.open('two-prompts');
    await visitor.answer({ username: 'two prompts', name: 'First', 'attributes.a': '1' });
    expect(shownValue(visitor, 'name')).toBe('First');
    await visitor.answer({ name: 'Second', 'attributes.b': '2' });
    visitor.expectEnd();
    expect(await rig.find('two prompts')).toMatchObject({ name: 'Second', attributes: { a: '1', b: '2' } });
  });

  it('prefill shows the user’s own values, to them alone', async () => {
    await rig.user('prefilled', { name: 'Ada', email: 'ada@example.com', attributes: { city: 'London' } });
    const keys = ['name', 'email', 'attributes.city'];
    await rig.flow('profile', [promptFor(...keys.map((key) => field(key, { prefill: true }))), never]);
    const visitor = await rig.signedIn('prefilled');
    await visitor.open('profile');
    expect(keys.map((key) => shownValue(visitor, key))).toEqual(['Ada', 'ada@example.com', 'London']);
    const stranger = rig.visitor();
    await stranger.open('profile');
    expect(keys.map((key) => shownValue(stranger, key))).toEqual(['', '', '']);
  });

  it('a file of the size that is allowed by default is written; a larger one is a problem of its field, as JSON too', async () => {
    await rig.flow('picture', [promptFor('username', field('attributes.picture', { type: 'file' })), always]);
    const picture = (size: number): string => `data:image/png;base64,${Buffer.alloc(size, 7).toString('base64')}`;
    const visitor = rig.visitor();
    await visitor.open('picture');
    for (const size of [180 * 1024 + 1, 700_000]) {
      await visitor.answer({ username: 'pictured', 'attributes.picture': picture(size) });
      visitor.expectProblem('attributes.picture', 'max_size');
    }
    await visitor.answer({ username: 'pictured', 'attributes.picture': picture(180 * 1024) });
    visitor.expectEnd();
    expect((await rig.find('pictured'))?.attributes.picture).toBe(picture(180 * 1024));
  });

  it('a page’s form, with a file: written as a data URI, and one that is too large is a problem of its field', async () => {
    await rig.user('uploader');
    await rig.flow('upload', [promptFor(field('attributes.picture', { type: 'file', max_size: 1_000 })), never]);
    const visitor = await rig.signedIn('uploader');
    const send = async (size: number): Promise<Response> => {
      const { headers } = await visitor.request('/api/v3/flows/executor/upload/?query=');
      const form = new FormData();
      form.set('step', headers.get('doorward-step') ?? '');
      form.set('component', 'ak-stage-prompt');
      form.set('attributes.picture', new File([new Uint8Array(size)], 'a.png', { type: 'image/png' }));
      return visitor.request('/if/flow/upload/', {
        method: 'POST',
        body: form,
        headers: { origin: 'http://localhost:9000' },
      });
    };
    const large = await send(1_001);
    expect([large.status, await large.text()]).toEqual([200, expect.stringContaining('This file is too large')]);
    const sent = await send(999);
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/']);
    expect(String((await rig.find('uploader'))?.attributes.picture)).toMatch(/^data:image\/png;base64,/);
  });
});

function shownValue(visitor: Visitor, key: string): unknown {
  const fields = visitor.expectAsk('ak-stage-prompt').fields as readonly Record<string, unknown>[];
  return fields.find(({ field_key }) => field_key === key)?.initial_value;
}

import { expect, it } from 'vitest';
import { dummy, groupPolicy, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

/* The reference's test_executor and test_planner, by their names (flow-engine.md 8), where they touch what is built. */
onBothDatabases('the executor', (rig) => {
  it('existing_plan_diff_flow: two flows of one browser do not disturb each other', async () => {
    await rig.flow('left', [promptFor('a'), promptFor('attributes.a'), dummy]);
    await rig.flow('right', [dummy, promptFor('b')]);
    const left = rig.visitor();
    await left.open('left');
    await left.answer({ a: '1' });
    const right = left.clone();
    await right.open('right');
    right.expectAsk('ak-stage-dummy');
    await right.answer();
    right.expectAsk('ak-stage-prompt');
    await left.answer({ 'attributes.a': '2' });
    left.expectAsk('ak-stage-dummy');
    await right.answer({ b: '3' });
    right.expectEnd();
    await left.answer();
    left.expectEnd();
  });

  it('invalid_non_applicable_flow, non_applicable_plan: access denied; …_continue: sent on', async () => {
    await rig.auth.groups.create({ name: 'nobody at all' });
    const policies = [groupPolicy('nobody at all')];
    for (const denied_action of ['message_continue', 'message', 'continue'] as const)
      await rig.flow(`closed-${denied_action}`, [dummy], { attrs: { denied_action }, policies });
    const visitor = rig.visitor();
    const said = 'Flow does not apply to current user.';
    await visitor.open('closed-message_continue');
    visitor.expectDenied(said);
    await visitor.open('closed-message_continue', 'next=/there');
    visitor.expectEnd('/there');
    await visitor.open('closed-message');
    visitor.expectDenied(said);
    await visitor.open('closed-message', 'next=/there');
    visitor.expectDenied(said);
    await visitor.open('closed-continue');
    visitor.expectEnd('/');
    await visitor.open('closed-continue', 'next=/there');
    visitor.expectEnd('/there');
  });

  it('invalid_empty_flow, empty_plan, invalid_flow_redirect, valid_flow_redirect: nothing to do is done at once', async () => {
    await rig.flow('empty', []);
    const visitor = rig.visitor();
    await visitor.open('empty');
    visitor.expectEnd('/');
    await visitor.open('empty', 'next=/unique-string');
    visitor.expectEnd('/unique-string');
  });

  it.each([
    'http://something',
    '//something',
    '///something',
    '/\\something',
    'javascript:alert(1)',
    'http:/something',
  ])('valid_invalid_redirect: next=%s is refused', async (next) => {
    await rig.flow('empty', []);
    await rig.flow('one-dummy', [dummy]);
    for (const slug of ['empty', 'one-dummy']) {
      const visitor = rig.visitor();
      await visitor.open(slug, new URLSearchParams({ next }).toString());
      visitor.expectDenied('Invalid next URL');
    }
  });

  it('a later request can not smuggle a next to another site in', async () => {
    await rig.flow('one-dummy', [dummy]);
    const visitor = rig.visitor();
    await visitor.open('one-dummy', 'next=/fine');
    await visitor.request(`/api/v3/flows/executor/one-dummy/?query=${encodeURIComponent('next=//evil.example')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const again = rig.visitor();
    await again.open('one-dummy', 'next=/fine');
    await again.answer();
    again.expectEnd('/fine');
  });

  it('multi_stage_flow: one stage after the other', async () => {
    await rig.flow('multi', [dummy, promptFor('a')]);
    const visitor = rig.visitor();
    await visitor.open('multi');
    visitor.expectAsk('ak-stage-dummy');
    await visitor.answer();
    visitor.expectAsk('ak-stage-prompt');
    await visitor.open('multi');
    visitor.expectAsk('ak-stage-prompt');
  });

  it('stageview_user_identifier: what was typed is shown in place of the name', async () => {
    await rig.user('identified', { email: 'identified@example.com' });
    const identification = { kind: 'identification', attrs: { user_fields: ['email'], show_matched_user: false } };
    await rig.flow('by-mail', [identification, { kind: 'password' }]);
    const visitor = rig.visitor();
    await visitor.open('by-mail');
    await visitor.answer({ uid_field: 'identified@example.com' });
    expect(visitor.expectAsk('ak-stage-password').pending_user).toBe('identified@example.com');
  });

  it('invalid_restart: an unknown user who is kept through a restart ends denied, not in a loop', async () => {
    const attrs = { user_fields: ['username'], pretend_user_exists: false };
    const binding = { invalid_response_action: 'restart_with_context' };
    await rig.flow('restarting', [{ kind: 'identification', attrs, binding }, { kind: 'deny' }]);
    const visitor = rig.visitor();
    await visitor.open('restarting');
    await visitor.answer({ uid_field: 'unknown to us' });
    visitor.expectAsk('ak-stage-identification');
    await rig.user('known to us');
    await visitor.answer({ uid_field: 'known to us' });
    visitor.expectDenied('Unknown error');
  });

  it('invalid_json: unreadable bodies are refused and the run stays', async () => {
    await rig.flow('multi', [dummy, promptFor('a')]);
    const visitor = rig.visitor();
    await visitor.open('multi');
    const response = await visitor.request('/api/v3/flows/executor/multi/?query=', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'unreadable_body' });
    await visitor.answer();
    visitor.expectAsk('ak-stage-prompt');
  });

  it('an unknown flow is a 404', async () => {
    const response = await rig.visitor().request('/api/v3/flows/executor/no-such-flow/?query=');
    expect(response.status).toBe(404);
  });

  it('authentication: none, authenticated, unauthenticated and superuser', async () => {
    for (const authentication of ['none', 'require_authenticated', 'require_unauthenticated', 'require_superuser'])
      await rig.flow(authentication, [dummy], { attrs: { authentication, denied_action: 'message' } });
    await rig.auth.groups.create({ name: 'kings', isSuperuser: true });
    await rig.auth.groups.create({ name: 'dukes', parent: (await rig.store.read.groups(['kings']))[0]?.pk ?? null });
    await rig.user('commoner');
    await rig.user('duke', { groups: ['dukes'] });
    const visitors = {
      anonymous: rig.visitor(),
      commoner: await rig.signedIn('commoner'),
      duke: await rig.signedIn('duke'),
    };
    const admitted: Record<string, string[]> = {};
    for (const [name, visitor] of Object.entries(visitors))
      for (const slug of ['none', 'require_authenticated', 'require_unauthenticated', 'require_superuser']) {
        const { component } = await visitor.open(slug);
        if (component === 'ak-stage-dummy') admitted[slug] = [...(admitted[slug] ?? []), name];
        else visitor.expectDenied('Flow does not apply to current user.');
      }
    expect(admitted).toEqual({
      none: ['anonymous', 'commoner', 'duke'],
      require_authenticated: ['commoner', 'duke'],
      require_unauthenticated: ['anonymous'],
      require_superuser: ['duke'],
    });
  });

  it('redirect_required: only by way of a redirect stage; outpost: nobody', async () => {
    const attrs = { authentication: 'require_redirect', denied_action: 'message' };
    await rig.flow('behind', [dummy], { attrs });
    await rig.flow('front', [
      { kind: 'redirect', attrs: { mode: 'flow', target_flow: '!Find [authentik_flows.flow, [slug, behind]]' } },
    ]);
    await rig.flow('outposts', [dummy], { attrs: { authentication: 'require_outpost', denied_action: 'message' } });
    const visitor = rig.visitor();
    await visitor.open('behind');
    visitor.expectDenied();
    await visitor.open('outposts');
    visitor.expectDenied();
    await visitor.open('front', 'next=/after');
    visitor.expectEnd('/if/flow/behind/?next=%2Fafter');
    await visitor.open('behind', 'next=/after');
    visitor.expectAsk('ak-stage-dummy');
    await visitor.answer();
    visitor.expectEnd('/after');
    await visitor.open('behind');
    visitor.expectDenied();
  });

  it('title placeholders, layout and designation reach the client', async () => {
    const attrs = { title: '%(app)s greets %(user)s, 100%%', layout: 'sidebar_left' };
    await rig.flow('titled', [dummy], { attrs });
    await rig.user('titled');
    expect((await rig.visitor().open('titled')).flow_info).toMatchObject({ title: 'Doorward greets , 100%' });
    const visitor = await rig.signedIn('titled');
    expect((await visitor.open('titled')).flow_info).toMatchObject({
      title: 'Doorward greets titled, 100%',
      layout: 'sidebar_left',
    });
    await rig.flow('odd-title', [dummy], { attrs: { title: '%(secret)s %(user)s' } });
    expect((await visitor.open('odd-title')).flow_info?.title).toBe('%(secret)s %(user)s');
  });

  it('the title names the pending user at every stage after identification', async () => {
    await rig.user('pending in title');
    const identification = { kind: 'identification', attrs: { user_fields: ['username'] } };
    const attrs = { title: 'Hello %(user)s' };
    await rig.flow('pending-title', [identification, dummy], { attrs });
    const visitor = rig.visitor();
    await visitor.open('pending-title');
    expect((await visitor.answer({ uid_field: 'pending in title' })).flow_info?.title).toBe('Hello pending in title');
    expect((await visitor.open('pending-title')).flow_info?.title).toBe('Hello pending in title');
  });

  it("the language is the user's own, else the browser's, else English", async () => {
    await rig.user('german', { attributes: { settings: { locale: 'de' } } });
    await rig.flow('spoken', [promptFor({ field_key: 'a', label: { en: 'Colour', de: 'Farbe' } })]);
    const saidTo = async (visitor: ReturnType<typeof rig.visitor>): Promise<unknown> => {
      const { fields } = (await visitor.open('spoken')) as { fields?: readonly { label: string }[] };
      const { response_errors: errors } = await visitor.answer({ a: '' });
      return `${fields?.[0]?.label}: ${errors?.a?.[0]?.string}`;
    };
    const [english, german] = ['Colour: This field may not be blank.', 'Farbe: Dieses Feld darf nicht leer sein.'];
    expect(await saidTo(rig.visitor())).toBe(english);
    expect(await saidTo(rig.visitor({ language: 'fr, de-AT;q=0.8, en;q=0.5' }))).toBe(german);
    expect(await saidTo(rig.visitor({ language: 'fr' }))).toBe(english);
    expect(await saidTo(await rig.signedIn('german', { language: 'en' }))).toBe(german);
  });

  it('dummy: any answer passes, {} and others; a stage that throws is a flow error and the run stays', async () => {
    await rig.flow('dummies', [dummy, { kind: 'dummy', attrs: {} }]);
    const visitor = rig.visitor();
    await visitor.open('dummies');
    await visitor.answer({});
    await visitor.answer({ foo: '' });
    visitor.expectEnd();
    await rig.flow('throwing', [promptFor('a'), { kind: 'dummy', attrs: { throw_error: true } }]);
    await visitor.open('throwing');
    await visitor.answer({ a: 'b' });
    expect(visitor.expectAsk('ak-stage-flow-error')).not.toHaveProperty('error');
    await visitor.open('throwing');
    visitor.expectAsk('ak-stage-prompt');
  });

  it('a stage that throws undoes what the request had decided before', async () => {
    await rig.flow('write-then-throw', [
      promptFor('username'),
      write({ user_creation_mode: 'always_create' }),
      { kind: 'dummy', attrs: { throw_error: true } },
    ]);
    const visitor = rig.visitor();
    await visitor.open('write-then-throw');
    await visitor.answer({ username: 'never there' });
    visitor.expectAsk('ak-stage-flow-error');
    expect(await rig.find('never there')).toBeNull();
    expect(await rig.events('user_write', 'never there')).toEqual([]);
  });

  it('deny: the configured message, else a general one; it ends the run', async () => {
    await rig.flow('denies', [dummy, { kind: 'deny', attrs: { deny_message: 'Not today' } }, login]);
    const visitor = rig.visitor();
    await visitor.open('denies');
    await visitor.answer();
    visitor.expectDenied('Not today');
    await visitor.open('denies');
    visitor.expectAsk('ak-stage-dummy');
  });
});

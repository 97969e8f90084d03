import { expect, it } from 'vitest';
import { dummy, type EngineRig, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';
import type { StagePart } from '../support/flow-yaml.ts';

type Attrs = Readonly<Record<string, unknown>>;

/* Expression policies in flows, as visitors meet them (flow-engine.md 5.2 and 8). */
onBothDatabases('expression policies', (rig) => {
  it('what a policy sets decides what the user write makes: groups, type, path, answers; and where the flow ends', async () => {
    await rig.auth.groups.create({ name: 'engineers' });
    const binding = await policy(
      rig,
      'places',
      [
        'context["prompt_data"]["name"] = context["prompt_data"]["name"].strip().title()',
        'request.context["prompt_data"]["attributes.team"] = slugify(context["prompt_data"]["attributes.department"])',
        'context["flow_plan"].context["groups"] = ["engineers"]',
        'context["user_type"] = "internal"',
        'context["user_path"] = "staff/" + context["prompt_data"]["attributes.team"]',
        'context["redirect"] = "https://intranet.example.com/welcome"',
        'return True',
      ],
      { writable_context: [] },
    );
    await rig.flow('places', [
      promptFor('username', 'name', 'attributes.department', { field_key: 'password', type: 'password' }),
      { ...write({ user_creation_mode: 'always_create' }), policies: [binding] },
    ]);
    const visitor = rig.visitor();
    await visitor.open('places');
    const typed = { username: 'grace', name: ' grace hopper ', 'attributes.department': 'Compilers & Co' };
    await visitor.answer({ ...typed, password: 'correct horse battery' });
    visitor.expectEnd('https://intranet.example.com/welcome');
    const user = await rig.find('grace');
    expect(user).toMatchObject({
      ...{ name: 'Grace Hopper', type: 'internal', path: 'staff/compilers-co' },
      attributes: { department: 'Compilers & Co', team: 'compilers-co' },
    });
    expect((await rig.store.read.groupsOf(user?.id ?? 0)).map(({ name }) => name)).toEqual(['engineers']);
    const hash = await rig.store.read.passwordHash(user?.id ?? 0);
    expect(hash).toBe('plain:correct horse battery');
  });

  it('the same in JavaScript', async () => {
    const source = [
      'context.prompt_data.name = context.prompt_data.name.toUpperCase();',
      'request.context.user_path = "scripts";',
      'return !request.user.is_authenticated;',
    ];
    const binding = await policy(rig, 'places in javascript', source, {}, { language: 'javascript' });
    await rig.flow('scripted', [
      promptFor('username', 'name'),
      { ...write({ user_creation_mode: 'always_create' }), policies: [binding] },
    ]);
    const visitor = rig.visitor();
    await visitor.open('scripted');
    await visitor.answer({ username: 'scripted one', name: 'ada' });
    visitor.expectEnd();
    expect(await rig.find('scripted one')).toMatchObject({ name: 'ADA', path: 'scripts' });
  });

  it('a password that a policy makes, or passes on, stays a secret and works at sign-in', async () => {
    const source = 'context["prompt_data"]["password"] = context["prompt_data"]["password"] + "-and-more"';
    const binding = await policy(rig, 'salted', [source, 'return True']);
    await rig.flow('salted', [
      promptFor('username', { field_key: 'password', type: 'password' }),
      { ...dummy, policies: [binding] },
      write({ user_creation_mode: 'always_create' }),
    ]);
    const visitor = rig.visitor();
    await visitor.open('salted');
    await visitor.answer({ username: 'salted one', password: 'the first part' });
    visitor.expectAsk('ak-stage-dummy');
    const kept = await rig.driver.read({ text: 'SELECT * FROM doorward_run WHERE flow = ?', params: ['salted'] });
    expect(JSON.stringify(kept)).not.toContain('the first part');
    await visitor.answer();
    visitor.expectEnd();
    const signedIn = rig.visitor();
    await signedIn.open('default-authentication-flow');
    await signedIn.answer({ uid_field: 'salted one' });
    await signedIn.answer({ password: 'the first part-and-more' });
    signedIn.expectEnd();
  });

  it('CVE-2024-47070: a policy on the password stage that fails denies, whatever X-Forwarded-For says', async () => {
    const binding = await policy(rig, 'from the office', [
      'if ak_client_ip in ip_network("10.0.0.0/8"):',
      '    return False',
      'return True',
    ]);
    await rig.flow('guarded-sign-in', [identification, { ...password, policies: [binding] }, login], {
      attrs: { designation: 'authentication' },
    });
    await rig.user('guarded one');
    for (const forwarded of [
      'not an address',
      '10.0.0.1, ,',
      '10.0.0.1',
      '::ffff:10.0.0.1%x',
      '"',
      '1'.repeat(5_000),
    ]) {
      const visitor = rig.visitor();
      const path = '/api/v3/flows/executor/guarded-sign-in/?query=';
      const headers = {
        'x-forwarded-for': forwarded,
        'content-type': 'application/json',
        origin: 'http://localhost:9000',
      };
      await visitor.request(path, { headers });
      const body = JSON.stringify({ component: 'ak-stage-identification', uid_field: 'guarded one' });
      const shown = await visitor.request(path, { method: 'POST', headers, body });
      expect(((await shown.json()) as { component: string }).component).toBe('ak-stage-password');
      expect(await visitor.whoAmI()).toBeNull();
    }
  });

  it.each([
    ['an error', 'return 1 / 0'],
    ['a name that does not exist', 'return no_such_name'],
    ['an error that its own code makes', 'raise ValueError("no")'],
    ['a loop without end', 'while True:\n    pass'],
    ['a server that it may not ask', 'return requests.get("https://example.com/").status_code == 200'],
    ['a member that only its binding can allow', 'context["pending_user"] = ak_user_by(username="another one")'],
    ['a user that cannot be looked up so', 'return ak_user_by(name="x") is None'],
  ])('a failing expression denies and does not skip the password: %s', async (name, source) => {
    const slug = `failing-${name.replaceAll(' ', '-')}`;
    const binding = await policy(rig, slug, [source]);
    await rig.flow(slug, [identification, { ...password, policies: [binding] }, login]);
    for (const username of ['failing one', 'another one'])
      if ((await rig.find(username)) === null) await rig.user(username);
    // All others have as long as a busy machine may take.
    const hasty = name === 'a loop without end';
    const visitor = (hasty ? await rig.another({ probes: true, expressionLimitMs: 200 }) : rig).visitor();
    await visitor.open(slug);
    await visitor.answer({ uid_field: 'failing one' });
    visitor.expectDenied('A check could not be carried out, so access is denied. Please try again later.');
    expect(await visitor.whoAmI()).toBeNull();
  });

  it('negate turns the answer round, not a failure; failure_result is the word for a failure', async () => {
    const cases: readonly [string, Attrs, string][] = [
      ['return True', { negate: true }, 'skipped'],
      ['return False', { negate: true }, 'shown'],
      ['return 1 / 0', { negate: true }, 'denied'],
      ['return 1 / 0', { failure_result: true }, 'shown'],
      ['return 1 / 0', { failure_result: true, negate: true }, 'shown'],
      ['pass', {}, 'skipped'],
      ['return ""', {}, 'skipped'],
      ['return [0]', {}, 'shown'],
    ];
    for (const [index, [source, attrs, expected]] of cases.entries()) {
      const binding = await policy(rig, `case ${index}`, [source], attrs);
      await rig.flow(`case-${index}`, [{ ...dummy, policies: [binding] }]);
      const visitor = rig.visitor();
      const { component } = await visitor.open(`case-${index}`);
      const how = { 'ak-stage-dummy': 'shown', 'xak-flow-redirect': 'skipped', 'ak-stage-access-denied': 'denied' };
      expect([source, attrs, how[component as keyof typeof how]]).toEqual([source, attrs, expected]);
    }
  });

  it('messages are shown in their order, over all policies, of those that pass and those that do not', async () => {
    const first = await policy(rig, 'speaks first', ['ak_message("one")', 'ak_message("two")', 'return True']);
    const second = await policy(rig, 'speaks then', ['ak_message("three")', 'return False']);
    await rig.flow('speaking', [dummy], {
      policies: [first, second],
      attrs: { policy_engine_mode: 'all', denied_action: 'message' },
    });
    const visitor = rig.visitor();
    await visitor.open('speaking');
    visitor.expectDenied('one\ntwo\nthree');
  });

  it('ak_call_policy: the order of messages is the caller’s to make, and nothing leaks into its context', async () => {
    await policy(rig, 'called', [
      'ak_message(f"called with {context["extra"]}")',
      'context["user_path"] = "leaked"',
      'context["prompt_data"]["name"] = "leaked"',
      'return context["extra"] == 1',
    ]);
    const binding = await policy(rig, 'calling', [
      'ak_message("before")',
      'result = ak_call_policy("called", extra=1)',
      'for message in result.messages:',
      '    ak_message(message)',
      'ak_message("after " + str("extra" in context) + str("user_path" in context) + context["prompt_data"]["name"])',
      'return result.passing and not ak_call_policy("called", extra=2).passing',
    ]);
    await rig.flow('calling', [
      promptFor('name'),
      { ...deny, policies: [{ ...binding, negate: true }] },
      write({ user_creation_mode: 'always_create' }),
    ]);
    const visitor = rig.visitor();
    await visitor.open('calling');
    await visitor.answer({ name: 'Ada' });
    visitor.expectDenied();
    expect(JSON.stringify(visitor.challenge)).not.toContain('leaked');
  });

  it('execution_logging notes each evaluation, and ak_create_event an event of its own, with secrets masked', async () => {
    const binding = await policy(
      rig,
      'noted',
      ['ak_create_event("seen", word=context["prompt_data"]["password"], who="x", api_token="y")', 'return False'],
      {},
      { execution_logging: true },
    );
    await rig.flow('noted', [
      promptFor('username', { field_key: 'password', type: 'password' }),
      { ...dummy, policies: [binding] },
    ]);
    const visitor = rig.visitor();
    await visitor.open('noted');
    await visitor.answer({ username: 'noted one', password: 'never in an event' });
    visitor.expectEnd();
    const [seen] = await rig.events('custom_seen');
    expect(seen).toMatchObject({ user: null, flow: 'noted', context: { who: 'x' } });
    const [execution] = await rig.events('policy_execution');
    expect(execution).toMatchObject({ context: { policy: 'noted', passing: false } });
    const told = JSON.stringify([seen, execution]);
    expect(told).not.toContain('never in an event');
    expect(told).not.toContain('"y"');
  });

  it('a binding may let a policy say who the flow is about: the reference’s first-run flow', async () => {
    const about = 'context["flow_plan"].context["pending_user"] = ak_user_by(username="first administrator")';
    const binding = await policy(rig, 'prefill user', [about, 'return True'], { writable_context: ['pending_user'] });
    await rig.user('first administrator');
    await rig.flow('first-run', [
      { ...promptFor({ field_key: 'email', type: 'email' }), policies: [binding] },
      write({ user_creation_mode: 'never_create' }),
    ]);
    const visitor = rig.visitor();
    await visitor.open('first-run');
    await visitor.answer({ email: 'first@example.com' });
    visitor.expectEnd();
    expect((await rig.find('first administrator'))?.email).toBe('first@example.com');
  });

  it('a syntax error is refused when it is applied, with its place, and nothing changes', async () => {
    const entry = {
      model: 'authentik_policies_expression.expressionpolicy',
      identifiers: { name: 'broken' },
      attrs: { expression: 'return (' },
    };
    const text = `version: 1\nentries:\n  - ${JSON.stringify(entry)}\n`;
    await expect(rig.auth.flows.apply([{ name: 'broken.yaml', text }])).rejects.toMatchObject({
      code: 'blueprint',
      detail: expect.stringMatching(/^broken\.yaml:3:\d+: expression of "broken": .*line 1/),
    });
  });

  it('a called policy is part of the version: a run keeps the one that it began with', async () => {
    await policy(rig, 'asked later', ['return True']);
    const binding = await policy(rig, 'asks later', ['return ak_call_policy("asked later").passing']);
    await rig.flow('versions', [dummy, { ...promptFor('name'), policies: [binding] }]);
    const visitor = rig.visitor();
    await visitor.open('versions');
    const stays = rig.visitor();
    await stays.open('versions');
    await stays.answer();
    await policy(rig, 'asked later', ['return False']);
    const late = rig.visitor();
    await late.open('versions');
    await late.answer();
    late.expectEnd();
    await stays.open('versions');
    stays.expectAsk('ak-stage-prompt');
  });
});

const identification: StagePart = { kind: 'identification', attrs: { user_fields: ['username'] } };
const password: StagePart = { kind: 'password' };
const deny: StagePart = { kind: 'deny' };

/** Makes an expression policy, or changes it; the binding on it. */
async function policy(
  rig: EngineRig,
  name: string,
  lines: readonly string[],
  binding: Attrs = {},
  attrs: Attrs = {},
): Promise<Attrs> {
  const model = 'authentik_policies_expression.expressionpolicy';
  const entry = { model, identifiers: { name }, attrs: { expression: lines.join('\n'), ...attrs } };
  await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [entry] }));
  return { policy: `!Find [${model}, [name, ${name}]]`, ...binding };
}

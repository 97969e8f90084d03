import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { createApp } from '../../src/app/create.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml, type StagePart } from '../support/flow-yaml.ts';
import { MailRig } from '../support/mail-rig.ts';
import type { ReceivedMail } from '../support/mail-server.ts';

const origin = 'http://localhost:9000';
const secretKey = 'the secret key of a test which is no secret';
const day = 86_400_000;
const fields = promptFor(
  { field_key: 'username', type: 'username', required: true },
  { field_key: 'email', type: 'email', required: true },
  { field_key: 'password', type: 'password' },
  { field_key: 'attributes.api_key', required: false },
  { field_key: 'attributes.team', required: false },
);
const approval = (attrs: Record<string, unknown> = {}): StagePart => ({
  kind: 'approval',
  attrs: { approvers_group: '!Find [authentik_core.group, [name, approvers]]', ...attrs },
});
const write: StagePart = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };
const flow = (slug: string, stages: readonly StagePart[], attrs: Record<string, unknown> = {}) =>
  flowYaml({ slug, attrs, stages });
const flows = [
  flow('join', [fields, approval({ message: 'May they join?' }), write, { kind: 'user_login' }]),
  flow('join-two', [fields, approval({ required: 2, reminder: 'days=1', deadline: 'days=3' }), write]),
  flow('proven', [fields, { kind: 'email' }, approval(), write, { kind: 'user_login' }]),
  flow('promote', [promptFor('attributes.team'), approval(), { kind: 'user_write' }], {
    authentication: 'require_authenticated',
    designation: 'stage_configuration',
  }),
  flow('short-lived', [fields, approval(), write]),
];

describe.each(['sqlite', 'postgres'] as const)('the approval stage on %s', (dialect) => {
  const rig = new MailRig(dialect);
  /** Another node on the same database. */
  let node: App;
  let remove: () => Promise<void>;
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    const { database, remove: drop } = await emptyDatabase(dialect);
    remove = drop;
    await rig.open({ database });
    const group = await rig.auth.groups.create({ name: 'approvers' });
    const inner = await rig.auth.groups.create({ name: 'deputies', parent: group.pk });
    for (const name of ['ann', 'ben', 'cy'])
      await rig.user(name, { groups: [name === 'cy' ? inner.name : 'approvers'] });
    await rig.user('root', { groups: ['Doorward Admins'] });
    await rig.user('stranger');
    await rig.auth.flows.apply(flows);
    for (const name of ['ann', 'ben', 'cy', 'root', 'stranger']) {
      const { id } = given(await rig.find(name));
      tokens.set(name, (await rig.auth.tokens.create(id)).secret);
    }
    node = await createApp({ database, secretKey, publicUrl: origin, clock: rig.clock });
  });
  afterAll(async () => {
    await node.close();
    await rig.close();
    await remove();
  });

  async function asking(slug: string, username: string, more: Record<string, unknown> = {}): Promise<Visitor> {
    // Each from a place of their own: one place asks so often and no more.
    const visitor = rig.visitor({ address: `198.51.${username.length}.${username.charCodeAt(0) - 90}` });
    await visitor.open(slug);
    await visitor.answer({ username, email: `${username}@example.com`, password: 'a password of theirs', ...more });
    visitor.expectAsk(slug === 'proven' ? 'ak-stage-email' : 'ak-stage-approval');
    return visitor;
  }
  /** The next message to an approver about this very request; those about others are passed over. */
  const request = async (name: string, uuid: string, subject = 'is needed'): Promise<ReceivedMail> => {
    for (;;) {
      const letter = await rig.letter(`${name}@example.com`);
      if (letter.link.includes(uuid) && letter.headers.get('subject')?.includes(subject) === true) return letter;
    }
  };
  const placeOf = ({ link }: Pick<ReceivedMail, 'link'>) => {
    const { pathname, search } = new URL(link);
    return `${pathname}${search}`;
  };
  const say = (place: string, body: Record<string, string>, browser = rig.visitor()) =>
    browser.request(place, {
      method: 'POST',
      body: new URLSearchParams(body),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
    });
  const page = async (place: string, browser = rig.visitor()) => (await browser.request(place)).text();
  const api = (name: string, method: 'GET' | 'POST', pk = '', body?: object) =>
    rig.visitor().request(`/api/v3/stages/approval/requests/${pk === '' ? '' : `${pk}/`}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${tokens.get(name)}`, 'content-type': 'application/json' },
    });
  const events = async (action: string) => node.store.accounts.listEvents({ action });
  /** The request of who calls themselves so. */
  async function uuidOf(username: string): Promise<string> {
    const { results } = (await (await api('root', 'GET')).json()) as { results: { pk: string; facts: object }[] };
    return given(results.find(({ facts }) => JSON.stringify(facts).includes(`"username":"${username}"`))?.pk);
  }
  /** Everybody's message about one request. */
  async function letters(username: string) {
    const uuid = await uuidOf(username);
    return { uuid, ann: await request('ann', uuid), ben: await request('ben', uuid), cy: await request('cy', uuid) };
  }

  it('nothing is written before somebody approved; then the waiting page goes on, and its owner is signed in', async () => {
    const visitor = await asking('join', 'dora', { 'attributes.team': 'engines', 'attributes.api_key': 'k-4711' });
    visitor.expectAsk('ak-stage-approval');
    expect(await rig.find('dora')).toBeNull();
    const sent = await letters('dora');
    expect(sent.ann.headers.get('subject')).toBe('Doorward: your approval is needed');
    expect(sent.ann.raw).not.toContain('dora');
    const shown = await page(placeOf(sent.ann));
    for (const said of ['May they join?', 'dora@example.com', 'engines', '198.51.']) expect(shown).toContain(said);
    for (const secret of ['a password of theirs', 'k-4711']) expect(shown).not.toContain(secret);
    await rig.visitor().request(placeOf(sent.ann), { method: 'HEAD' });
    expect(await rig.find('dora')).toBeNull();
    expect((await say(placeOf(sent.ann), { verdict: 'approve' })).status).toBe(303);
    expect(await page(placeOf(sent.ann))).toContain('You approved this.');
    expect(await page(placeOf(sent.ben))).toContain('This was approved.');
    expect(await rig.find('dora')).toMatchObject({ isActive: true, attributes: { team: 'engines' } });
    expect(await visitor.whoAmI()).toBeNull();
    await visitor.open('join');
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('dora');
    const told = await rig.letter('dora@example.com');
    expect(told.headers.get('subject')).toBe('Doorward: your request was approved');
    expect(told.link, 'an address that nobody proved leads into no run').toBe('');
    const [asked] = await events('approval_requested');
    const [approved] = await events('approval_approved');
    expect([asked?.user, approved?.user?.username]).toEqual([null, 'ann']);
    expect(JSON.stringify([asked, approved])).not.toContain('engines');
  });

  it('one denial denies, and needs a reason; the applicant reads it, and nothing was written', async () => {
    const visitor = await asking('join', 'eve');
    const sent = await letters('eve');
    expect(await (await say(placeOf(sent.ann), { verdict: 'deny', reason: ' ' })).text()).toContain('Say why');
    await say(placeOf(sent.ann), { verdict: 'deny', reason: 'We do not know you.' });
    await say(placeOf(sent.ben), { verdict: 'approve' });
    expect((await api('ben', 'POST', sent.uuid, { verdict: 'approve' })).status).toBe(409);
    await visitor.open('join');
    visitor.expectDenied('This was not approved: We do not know you.');
    for (const body of [{ component: 'ak-stage-access-denied' }, { component: 'ak-stage-approval' }, {}]) {
      await visitor.post(body);
      await visitor.open('join');
      visitor.expectDenied();
    }
    expect(await rig.find('eve')).toBeNull();
    const told = await rig.letter('eve@example.com');
    expect(told.headers.get('subject')).toBe('Doorward: your request was not approved');
    expect(told.text).toContain('We do not know you.');
  });

  it('n of m: different people are counted, each once, fifty times at once too', async () => {
    const visitor = await asking('join-two', 'fay');
    const sent = await letters('fay');
    await Promise.all(Array.from({ length: 50 }, () => say(placeOf(sent.ann), { verdict: 'approve' })));
    expect(await rig.find('fay')).toBeNull();
    await visitor.open('join-two');
    visitor.expectAsk('ak-stage-approval');
    const seen = (await (await api('ben', 'GET', sent.uuid)).json()) as { decisions: object[]; status: string };
    expect(seen).toMatchObject({ status: 'waiting', required: 2, decisions: [{ verdict: 'approve' }] });
    expect(await page(placeOf(sent.cy))).toContain('1 of 2 needed approvals were given.');
    expect((await api('cy', 'POST', sent.uuid, { verdict: 'approve' })).status).toBe(200);
    expect(await rig.find('fay')).not.toBeNull();
    expect((await events('approval_approved')).filter(({ flow: slug }) => slug === 'join-two')).toHaveLength(2);
  });

  it('two who approve at the same time are both counted, on two nodes', async () => {
    await asking('join-two', 'gus');
    const sent = await letters('gus');
    const by = async (name: string) => given(await node.store.read.user(given(await rig.find(name)).id));
    await Promise.all([
      say(placeOf(sent.ann), { verdict: 'approve' }),
      node.approvals.decide(sent.uuid, {
        ...{ verdict: 'approve', by: await by('ben'), reason: '', address: '', requestId: '' },
      }),
    ]);
    expect((await rig.auth.users.list({ search: 'gus' })).total).toBe(1);
  });

  it('who is no member sees and decides nothing, by page, API or another’s link; administrators do', async () => {
    const visitor = await asking('join', 'hal');
    const sent = await letters('hal');
    const uuid = sent.uuid;
    const stranger = await rig.signIn('stranger');
    expect((await stranger.request(`/if/approvals/${uuid}/`)).status).toBe(404);
    expect((await say(`/if/approvals/${uuid}/`, { verdict: 'approve' }, stranger)).status).toBe(404);
    expect(await page('/if/approvals/', stranger)).toContain('Nobody waits');
    expect((await api('stranger', 'POST', uuid, { verdict: 'approve' })).status).toBe(404);
    expect(await (await api('stranger', 'GET')).json()).toMatchObject({ results: [] });
    const { id } = given(await rig.find('stranger'));
    const forged = placeOf(sent.ann).replace(/key=\d+/, `key=${id}`);
    expect((await say(forged, { verdict: 'approve' })).status).toBe(404);
    expect((await say(`/if/approvals/${uuid}/?key=`, { verdict: 'approve' })).status).toBe(404);
    expect(await rig.find('hal')).toBeNull();
    expect(await (await api('root', 'GET', uuid)).json()).toMatchObject({ pk: uuid, flow: 'join' });
    const admin = await rig.signIn('root');
    expect(await page('/if/approvals/', admin)).toContain('hal');
    expect((await say(`/if/approvals/${uuid}/`, { verdict: 'approve' }, admin)).status).toBe(303);
    await visitor.open('join');
    expect(await visitor.whoAmI()).toBe('hal');
  });

  it('a form of another site, and a session without its origin, decide nothing', async () => {
    await asking('join', 'ida');
    const { uuid } = await letters('ida');
    const ann = await rig.signIn('ann');
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' };
    const post = { method: 'POST', body: 'verdict=approve', headers };
    expect((await ann.request(`/if/approvals/${uuid}/`, post)).status).toBe(403);
    const json = {
      ...post,
      body: '{"verdict":"approve"}',
      headers: { ...headers, 'content-type': 'application/json' },
    };
    expect((await ann.request(`/api/v3/stages/approval/requests/${uuid}/`, json)).status).toBe(403);
    expect(await rig.find('ida')).toBeNull();
  });

  it('the link of one request opens no other, and one of a former member none', async () => {
    await asking('join', 'jo');
    const first = await letters('jo');
    await asking('join', 'jon');
    const second = await letters('jon');
    const swapped = placeOf(first.ann).replace(first.uuid, second.uuid);
    expect((await say(swapped, { verdict: 'approve' })).status).toBe(404);
    const ben = given(await rig.find('ben'));
    await rig.auth.users.update(ben.id, { isActive: false });
    expect((await say(placeOf(first.ben), { verdict: 'approve' })).status).toBe(404);
    await rig.auth.users.update(ben.id, { isActive: true });
    expect(await rig.find('jo')).toBeNull();
    expect(await rig.find('jon')).toBeNull();
  });

  it('nobody approves themselves: not as a member who asks, nor by an account with the same address', async () => {
    const ann = await rig.signIn('ann');
    await ann.open('promote');
    await ann.answer({ 'attributes.team': 'chiefs' });
    ann.expectAsk('ak-stage-approval');
    const uuid = await uuidOf('ann');
    const forBen = await request('ben', uuid);
    expect((await say(`/if/approvals/${uuid}/`, { verdict: 'approve' }, ann)).status).toBe(404);
    expect((await api('ann', 'POST', uuid, { verdict: 'approve' })).status).toBe(404);
    expect(await page('/if/approvals/', ann)).not.toContain(uuid);
    expect((await rig.find('ann'))?.attributes).toEqual({});
    await say(placeOf(forBen), { verdict: 'approve' });
    expect((await rig.find('ann'))?.attributes).toEqual({ team: 'chiefs' });
    const double = await asking('join', 'annie', { email: 'ann@example.com' });
    double.expectAsk('ak-stage-approval');
    expect((await api('ann', 'POST', await uuidOf('annie'), { verdict: 'approve' })).status).toBe(404);
    expect(await rig.find('annie')).toBeNull();
  });

  it('nobody decides while they act as somebody else, nor for an applicant who was deactivated meanwhile', async () => {
    const member = await rig.signIn('stranger');
    await member.open('promote');
    await member.answer({ 'attributes.team': 'chiefs' });
    const sent = await letters('stranger');
    const admin = await rig.signIn('root');
    const { id } = given(await rig.find('ann'));
    const headers = { 'content-type': 'application/json', origin };
    const acting = { method: 'POST', body: '{"reason":"to help"}', headers };
    expect((await admin.request(`/api/v3/core/users/${id}/impersonate/`, acting)).status).toBeLessThan(300);
    expect(await admin.whoAmI()).toBe('ann');
    expect((await say(`/if/approvals/${sent.uuid}/`, { verdict: 'approve' }, admin)).status).toBe(404);
    const decide = { method: 'POST', body: '{"verdict":"approve"}', headers };
    expect((await admin.request(`/api/v3/stages/approval/requests/${sent.uuid}/`, decide)).status).toBe(403);
    const applicant = given(await rig.find('stranger'));
    await rig.auth.users.update(applicant.id, { isActive: false });
    await say(placeOf(sent.ann), { verdict: 'approve' });
    expect((await rig.find('stranger'))?.attributes).toEqual({});
    await rig.auth.users.update(applicant.id, { isActive: true });
  });

  it('the deadline denies, and a word that comes afterwards is not counted; the reminder comes once', async () => {
    const visitor = await asking('join-two', 'kim');
    const sent = await letters('kim');
    await say(placeOf(sent.ann), { verdict: 'approve' });
    rig.clock.advance(day);
    await Promise.all([node.approvals.work(), node.approvals.work()]);
    await node.approvals.work();
    await request('ben', sent.uuid, 'is still needed');
    await request('cy', sent.uuid, 'is still needed');
    // A message whose lease ran out when the clock was set may come twice, under the same id.
    const about = (name: string) => {
      const own = rig.mail.received.filter(
        ({ to, link }) => to[0] === `${name}@example.com` && link.includes(sent.uuid),
      );
      return new Set(own.map(({ headers }) => headers.get('message-id'))).size;
    };
    expect([about('ann'), about('ben'), about('cy')]).toEqual([1, 2, 2]);
    rig.clock.advance(2 * day);
    await say(placeOf(sent.ben), { verdict: 'approve' });
    expect(await page(placeOf(sent.ben))).toContain('The time for this request is over.');
    await Promise.all([node.approvals.work(), node.approvals.work()]);
    expect((await api('cy', 'POST', sent.uuid, { verdict: 'approve' })).status).toBe(409);
    expect(await rig.find('kim')).toBeNull();
    await visitor.open('join-two');
    visitor.expectDenied('Nobody decided in time, so this was not approved.');
    const denied = (await events('approval_denied')).filter(({ context }) => context.reason === 'deadline');
    expect(denied.filter(({ flow: slug }) => slug === 'join-two')).toHaveLength(1);
  });

  it('the way back leads into the same run on another device, after the browser forgot it', async () => {
    const visitor = await asking('proven', 'lea');
    visitor.expectAsk('ak-stage-email');
    await visitor.answer({ code: (await rig.letter('lea@example.com')).code });
    visitor.expectAsk('ak-stage-approval');
    rig.clock.advance(3 * day);
    await say(placeOf(await request('cy', await uuidOf('lea'))), { verdict: 'approve' });
    const told = await rig.letter('lea@example.com');
    const place = placeOf(told);
    const phone = rig.visitor();
    expect(await page(place, phone)).toContain('Your request was approved.');
    expect(await phone.whoAmI()).toBeNull();
    const busy = await rig.signIn('stranger');
    expect(await (await say(place, {}, busy)).text()).toContain('Sign out first');
    expect((await say(place.replace(/key=.{5}/, 'key=AAAAA'), {}, phone)).status).toBe(404);
    const went = await say(place, {}, phone);
    expect([went.status, went.headers.get('location')]).toEqual([303, '/if/flow/proven/']);
    await phone.open('proven');
    phone.expectEnd();
    expect(await phone.whoAmI()).toBe('lea');
    expect((await say(place, {}, rig.visitor())).status, 'an ended run').toBe(404);
  });

  it('a flow that was deleted: nothing is written, and nobody is left waiting', async () => {
    const visitor = await asking('short-lived', 'max');
    const sent = await letters('max');
    await rig.auth.flows.apply(
      'version: 1\nentries:\n  - model: authentik_flows.flow\n    state: absent\n    identifiers: { slug: short-lived }\n',
    );
    expect((await api('ann', 'POST', sent.uuid, { verdict: 'approve' })).status).toBe(404);
    expect(await rig.find('max')).toBeNull();
    rig.clock.advance(8 * day);
    await node.approvals.work();
    expect(await page(placeOf(sent.ann))).not.toContain('value="approve"');
    expect((await visitor.request('/api/v3/flows/executor/short-lived/?query=')).status).not.toBe(500);
  });

  it('without a browser it says that somebody would be asked, and asks nobody', async () => {
    const before = rig.mail.received.length;
    const { status, challenge } = await rig.auth.flows.execute('join', {
      context: { prompt_data: { username: 'ned', email: 'ned@example.com', password: 'a password' } },
    });
    expect([status, challenge?.component]).toEqual(['challenge', 'ak-stage-approval']);
    expect(rig.mail.received).toHaveLength(before);
  });
});

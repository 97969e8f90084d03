import { expect, it } from 'vitest';
import { stateSchema } from '../../src/store/rows.ts';
import { dummy, field, fieldsOf, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const minute = 60_000;

/* What changes under a run: time, the flow, the server, the keys (CONTRACT: Runs). */
onBothDatabases('a run meanwhile', (rig) => {
  it('an expired run starts anew, and its answers are not taken', async () => {
    await rig.flow('expiring', [promptFor('a'), promptFor('b'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('expiring');
    await visitor.answer({ a: '1' });
    rig.clock.advance(25 * 60 * minute);
    expect(fieldsOf(await visitor.answer({ b: '2' }))).toEqual(['a']);
    await visitor.answer({ a: '1' });
    expect(fieldsOf(visitor.challenge)).toEqual(['b']);
    await visitor.answer({ b: '2' });
    visitor.expectAsk('ak-stage-dummy');
  });

  it('a flow that changes meanwhile: the run ends on its version, the next one begins on the new', async () => {
    await rig.flow('changing', [promptFor('a'), promptFor('b'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('changing');
    await visitor.answer({ a: '1' });
    await rig.flow('changing', [promptFor('c'), promptFor('d'), { kind: 'deny' }]);
    await visitor.open('changing');
    expect(fieldsOf(visitor.challenge)).toEqual(['b']);
    await visitor.answer({ b: '1' });
    visitor.expectAsk('ak-stage-dummy');
    await visitor.answer();
    visitor.expectEnd();
    await visitor.open('changing');
    expect(fieldsOf(visitor.challenge)).toEqual(['c']);
  });

  it('a flow that is deleted meanwhile: whoever is in it is told to start again, others find nothing', async () => {
    await rig.flow('doomed', [promptFor('a'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('doomed');
    await visitor.answer({ a: '1' });
    const gone = { model: 'authentik_flows.flow', state: 'absent', identifiers: { slug: 'doomed' } };
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [gone] }));
    await visitor.answer();
    visitor.expectDenied('This page has changed meanwhile. Please start again.');
    await visitor.open('doomed');
    visitor.expectDenied('This page has changed meanwhile. Please start again.');
    const { status } = await rig.visitor().request('/api/v3/flows/executor/doomed/?query=');
    expect(status).toBe(404);
  });

  it('a flow that is deleted and made again is a new one: no version or run of the old one comes back', async () => {
    await rig.flow('reborn', [promptFor('a'), promptFor('b')]);
    const visitor = rig.visitor();
    await visitor.open('reborn');
    await visitor.answer({ a: '1' });
    const gone = { model: 'authentik_flows.flow', state: 'absent', identifiers: { slug: 'reborn' } };
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [gone] }));
    await rig.flow('reborn', [promptFor('c'), dummy]);
    await visitor.answer({ b: '1' });
    visitor.expectDenied('This page has changed meanwhile. Please start again.');
    await visitor.open('reborn');
    expect(fieldsOf(visitor.challenge)).toEqual(['c']);
    await visitor.answer({ c: '1' });
    visitor.expectAsk('ak-stage-dummy');
  });

  it('a stage of a kind that is not installed stops the flow: it is never skipped', async () => {
    await rig.flow('foreign', [promptFor('username'), rig.probe('foreign'), write()]);
    const lacking = await rig.another({ probes: false });
    const visitor = lacking.visitor();
    await visitor.open('foreign');
    await visitor.answer({ username: 'past the unknown' });
    visitor.expectAsk('ak-stage-flow-error');
    await visitor.answer({});
    expect(await rig.find('past the unknown')).toBeNull();
  });

  it.each(['schema', 'seal'])('a run whose %s is unreadable cannot go on: the visitor starts again', async (what) => {
    await rig.flow(`unreadable-${what}`, [
      promptFor('username', field('password', { type: 'password' })),
      dummy,
      write(),
    ]);
    const visitor = rig.visitor();
    await visitor.open(`unreadable-${what}`);
    await visitor.answer({ username: `unreadable ${what}`, password: 'a password' });
    visitor.expectAsk('ak-stage-dummy');
    const [from, to] = what === 'schema' ? [`"schema":${stateSchema}`, '"schema":99'] : ['"$sealed":"', '"$sealed":"x'];
    const flow = `unreadable-${what}`;
    await rig.driver.write({
      text: 'UPDATE doorward_run SET state = replace(state, ?, ?) WHERE flow = ? RETURNING 1',
      params: [from, to, flow],
    });
    await visitor.answer();
    visitor.expectAsk('ak-stage-prompt');
    expect(await rig.find(`unreadable ${what}`)).toBeNull();
  });

  it('two servers on one database serve one visitor alternately', async () => {
    const other = await rig.another({ probes: true });
    await rig.flow('alternating', [promptFor('username'), promptFor('name'), promptFor('email'), write()]);
    const path = '/api/v3/flows/executor/alternating/?query=';
    const visitor = rig.visitor();
    await visitor.open('alternating');
    let step: string | null = visitor.step;
    for (const [index, body] of [{ username: 'alternating' }, { name: 'A' }, { email: 'a@example.com' }].entries()) {
      const { auth } = index % 2 === 0 ? other : rig;
      const response = await auth.fetch(
        new Request(new URL(path, 'http://localhost:9000'), {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            cookie: [...visitor.cookies].map((pair) => pair.join('=')).join('; '),
            ...(step === null ? {} : { 'doorward-step': step }),
          },
          body: JSON.stringify(body),
        }),
      );
      step = response.headers.get('doorward-step');
    }
    expect(await rig.find('alternating')).toMatchObject({ name: 'A', email: 'a@example.com' });
  });

  it('10,000 fields: a JSON answer or a form of them gets a clear answer and loses nothing', async () => {
    await rig.flow('many-fields', [promptFor('a'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('many-fields');
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 'x']));
    const asJson = await visitor.post({ ...many, a: '1' }, visitor.step);
    expect([asJson.status, await asJson.json()]).toMatchObject([400, { code: 'unreadable_body' }]);
    const asForm = await visitor.request('/if/flow/many-fields/', {
      method: 'POST',
      headers: { origin: 'http://localhost:9000' },
      body: new URLSearchParams(many),
    });
    expect(asForm.status).toBe(400);
    await visitor.answer({ a: '1' });
    visitor.expectAsk('ak-stage-dummy');
  });
});

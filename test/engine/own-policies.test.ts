import { expect, it } from 'vitest';
import * as z from 'zod';
import { promptValue } from '../../src/engine/plan-context.ts';
import { definePolicy } from '../../src/engine/policy.ts';
import { rigOnEachDatabase } from '../support/each-database.ts';
import { promptFor, write } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';

/** Passes for whoever types `good`, sends them to a path of their own, and notes a user's time either way. */
const noting = definePolicy({
  ...{ kind: 'noting', model: 'tests.noting', component: 'tests-noting-form', description: 'Notes what it sees.' },
  config: z.object({ seen: z.int() }),
  async evaluate({ config, request }) {
    const passing = promptValue(request.context, 'attributes.word') === 'good';
    return {
      ...{ passing, messages: [passing ? 'Welcome' : ''], contextPatch: { user_path: 'noted' } },
      effects: [{ kind: 'user.seen', id: config.seen, at: passing ? 2 : 1 }],
    };
  },
});

/** Says who somebody is, which only its binding can allow. */
const claiming = definePolicy({
  ...{ kind: 'claiming', model: 'tests.claiming', component: 'tests-claiming-form', description: 'Claims to know.' },
  config: z.object({ user: z.int() }),
  evaluate: async ({ config }) => ({
    passing: true,
    messages: [],
    contextPatch: { pending_user: { ref: config.user } },
  }),
});

rigOnEachDatabase("an application's own policies", { policies: [noting, claiming] }, (rig) => {
  async function flow(slug: string, model: string, attrs: object, ...stages: Parameters<typeof flowYaml>[0]['stages']) {
    const entry = { model, identifiers: { name: slug }, attrs };
    await rig().auth.flows.apply(JSON.stringify({ version: 1, entries: [entry] }));
    const validation_policies = [`!Find [${model}, [name, ${slug}]]`];
    const asking = { ...promptFor('username', 'attributes.word'), attrs: { validation_policies } };
    await rig().auth.flows.apply([flowYaml({ slug, stages: [asking, ...stages] })]);
  }

  it('what one sets and asks to be written at a prompt is committed; of a refusal, what it asks to be written', async () => {
    const seen = await rig().auth.users.create({ username: 'seen' });
    const lastLogin = async () => (await rig().auth.users.get({ username: 'seen' }))?.lastLogin;
    await flow('noting', 'tests.noting', { seen: seen.id }, write({ user_creation_mode: 'always_create' }));
    const visitor = rig().visitor();
    await visitor.open('noting');
    await visitor.answer({ username: 'noted one', 'attributes.word': 'bad' });
    visitor.expectProblem('non_field_errors', 'invalid');
    expect(visitor.challenge.response_errors?.non_field_errors).toMatchObject([
      { string: 'These answers were not accepted. Please change them and try again.' },
    ]);
    expect([await rig().auth.users.get({ username: 'noted one' }), await lastLogin()]).toEqual([null, 1]);
    await visitor.answer({ username: 'noted one', 'attributes.word': 'good' });
    visitor.expectEnd();
    expect(await rig().auth.users.get({ username: 'noted one' })).toMatchObject({ path: 'noted' });
    expect(await lastLogin()).toBe(2);
  });

  it('none at a prompt can say who the flow is about (CONTRACT: Outcomes)', async () => {
    const victim = await rig().auth.users.create({ username: 'victim', name: 'Victim' });
    await flow('claiming', 'tests.claiming', { user: victim.id }, write({ user_creation_mode: 'never_create' }));
    const visitor = rig().visitor();
    await visitor.open('claiming');
    await visitor.answer({ username: 'taken over', 'attributes.word': 'x' });
    visitor.expectDenied('A check could not be carried out, so access is denied. Please try again later.');
    expect(await rig().auth.users.get({ username: 'victim' })).toMatchObject({ name: 'Victim' });
  });
});

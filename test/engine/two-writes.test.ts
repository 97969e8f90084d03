import { expect, it } from 'vitest';
import { given } from '../store/databases.ts';
import { fieldsOf, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

onBothDatabases('two writes of one username in one request', (rig) => {
  it('the second one asks for another name once, and that one is taken (W32)', async () => {
    const [ada, bea] = [await rig.user('ada'), await rig.user('bea')];
    const about = (name: string, ref: number) =>
      rig.probe(name, { enter: () => ({ kind: 'pass', context: { pending_user: { ref } } }) });
    const update = write({ user_creation_mode: 'never_create' });
    const [first, second] = [about('first', ada.id), about('second', bea.id)];
    await rig.flow('rename-both', [promptFor('username'), first, update, second, update]);
    const visitor = rig.visitor();
    await visitor.open('rename-both');
    await visitor.answer({ username: 'carla' });
    visitor.expectProblem('username', 'unique');
    expect(fieldsOf(visitor.challenge)).toEqual(['username']);
    await visitor.answer({ username: 'Carla' });
    visitor.expectProblem('username', 'unique');
    await visitor.answer({ username: 'dora' });
    visitor.expectEnd();
    const names = async (id: number) => given(await rig.auth.users.get({ pk: id })).username;
    expect([await names(ada.id), await names(bea.id)]).toEqual(['carla', 'dora']);
  });
});

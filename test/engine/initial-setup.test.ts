import { expect, it } from 'vitest';
import { onBothDatabases } from '../support/engine-rig.ts';

onBothDatabases('the initial setup', (rig) => {
  it('of many who hold the secret one becomes the administrator, and the others are not made at all', async () => {
    const address = new URL((await rig.auth.setupAddress()) ?? '');
    const visitors = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const visitor = rig.visitor();
        await visitor.open('initial-setup', address.search.slice(1));
        return visitor;
      }),
    );
    const who = (index: number) => ({ username: `first-${index}`, name: '', email: `first-${index}@example.com` });
    const password = 'a password of the first';
    const answers = visitors.map((visitor, index) =>
      visitor.answer({ ...who(index), name: 'First', password, password_repeat: password }),
    );
    const ends = (await Promise.all(answers)).map(({ component }) => component);
    expect(ends.filter((component) => component === 'xak-flow-redirect')).toHaveLength(1);
    expect(await rig.usernames('first-')).toHaveLength(1);
    expect(await rig.events('user_write')).toHaveLength(1);
    expect(await rig.auth.setupAddress()).toBeNull();
  });
});

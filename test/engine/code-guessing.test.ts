import { expect, it } from 'vitest';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { type MailRig, withMailOnBothDatabases } from '../support/mail-rig.ts';

const fields = promptFor(
  { field_key: 'username', type: 'username', required: true },
  { field_key: 'email', type: 'email', required: true },
);
const mail = { kind: 'email', attrs: { recovery_max_attempts: 10 } };
const write = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };
const flow = flowYaml({ slug: 'sign-up', stages: [fields, mail, write] });

async function signingUp(rig: MailRig, username: string, address = '192.0.2.1') {
  const visitor = rig.visitor({ address });
  await visitor.open('sign-up');
  await visitor.answer({ username, email: `${username}@example.com` });
  const { code } = await rig.letter(`${username}@example.com`);
  return { visitor, code, wrong: code === '000000' ? '000001' : '000000' };
}

withMailOnBothDatabases('guessing codes out of messages', { blueprints: [flow] }, (rig) => {
  it('a right code of one’s own pays for no guess at another’s', async () => {
    for (let victim = 0; victim < 10; victim += 1) {
      const other = await signingUp(rig, `victim-${victim}`);
      for (let guess = 0; guess < 5; guess += 1) await other.visitor.answer({ code: other.wrong });
      if (victim === 9) continue;
      const own = await signingUp(rig, `own-${victim}`);
      await own.visitor.answer({ code: own.code });
      own.visitor.expectEnd();
    }
    const late = await signingUp(rig, 'late');
    await late.visitor.answer({ code: late.code });
    late.visitor.expectProblem('code', 'limited');
    expect(await rig.find('late')).toBeNull();
    const elsewhere = await signingUp(rig, 'elsewhere', '198.51.100.7');
    await elsewhere.visitor.answer({ code: elsewhere.code });
    elsewhere.visitor.expectEnd();
    rig.clock.advance(3_600_001);
    const later = await signingUp(rig, 'later');
    await later.visitor.answer({ code: later.code });
    later.visitor.expectEnd();
  });
});

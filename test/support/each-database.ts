import { afterAll, beforeAll, describe } from 'vitest';
import type { DoorwardOptions } from '../../src/app/options.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';

/** Runs the same tests on both databases, each with a Doorward of its own. */
export function rigOnEachDatabase(
  name: string,
  options: Partial<DoorwardOptions>,
  tests: (rig: () => Rig) => void,
): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (dialect) => {
    let rig: Rig | null = null;
    let remove: () => Promise<void> = async () => undefined;
    beforeAll(async () => {
      const empty = await emptyDatabase(dialect);
      remove = empty.remove;
      rig = await createRig({ ...options, database: empty.database });
    });
    afterAll(async () => {
      await rig?.close();
      await remove();
    });
    tests(() => given(rig));
  });
}

/** A browser in which this user is signed in. */
export async function signIn(rig: Rig, username: string, password: string): Promise<Visitor> {
  const visitor = rig.visitor();
  await visitor.open('default-authentication-flow');
  await visitor.answer({ uid_field: username });
  if (visitor.challenge.component === 'ak-stage-password') await visitor.answer({ password });
  visitor.expectEnd();
  return visitor;
}

import { expect, it } from 'vitest';
import { BlueprintRig } from '../../src/blueprints/blueprint-rig.ts';
import { planBlueprints } from '../../src/blueprints/plan.ts';
import { proveFlows } from '../../src/blueprints/proof/prove.ts';
import { shippedFiles } from '../../src/blueprints/shipped-files.ts';
import { policies } from '../../src/policies/index.ts';
import { stages } from '../../src/stages/index.ts';

it('the shipped flows are clean: nothing is found in them', async () => {
  const input = new BlueprintRig().input([], { shipped: shippedFiles.map(({ name }) => name) });
  const { compiled, places } = await planBlueprints(input);
  expect(proveFlows({ flows: compiled, installed: { stages, policies }, places })).toEqual([]);
});

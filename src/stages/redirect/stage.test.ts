import { describe, expect, it } from 'vitest';
import { type DeskOptions, deskFor } from '../../testing/desk.ts';
import { redirect } from './stage.ts';

const objects = [{ pk: 'flow-pk', kind: 'flow', name: 'Target', config: { slug: 'target' } }];
const toFlow = { mode: 'flow', target_flow: 'flow-pk' };
const toSite = { mode: 'static', target_static: 'https://site.example/' };
const gone = { kind: 'deny', message: { $text: 'flow.target_gone' } };

async function arrive(config: DeskOptions['config'] = toSite, target?: string) {
  const context = target === undefined ? {} : { redirect_stage_target: target };
  return redirect.enter(deskFor(redirect, { config: config ?? {}, objects, context }));
}

describe('redirect', () => {
  it('RE-2: leaves for an address, and passes when an answer comes', async () => {
    expect(await arrive(toSite)).toEqual({ kind: 'leave', to: 'https://site.example/' });
    expect(await redirect.answer?.(deskFor(redirect, { config: toSite }), {})).toEqual({ kind: 'pass' });
  });

  it('RE-3: jumps into a flow, with what is known or without', async () => {
    expect(await arrive(toFlow)).toEqual({ kind: 'jump', flow: 'target', keep: true });
    expect(await arrive({ ...toFlow, keep_context: false })).toEqual({ kind: 'jump', flow: 'target', keep: false });
  });

  it.each([
    ['ak-flow://other', { kind: 'jump', flow: 'other', keep: true }],
    ['https://other.example/x?y=z', { kind: 'leave', to: 'https://other.example/x?y=z' }],
    ['/if/user/', { kind: 'leave', to: '/if/user/' }],
    ['', { kind: 'leave', to: 'https://site.example/' }],
    ['javascript:alert(1)', gone],
    ['java\nscript:alert(1)', gone],
    [' javascript:alert(1)', gone],
    ['data:text/html,x', gone],
    ['https://x.example/\r\nSet-Cookie: a=b', gone],
    ['https://', gone],
  ])('RE-1: the context says %j', async (target, outcome) => {
    expect(await arrive(toSite, target)).toEqual(outcome);
  });

  it('RE-5: denies when the target is gone', async () => {
    expect(await arrive({ mode: 'flow', target_flow: 'gone-pk' })).toEqual(gone);
  });

  it.each([
    [toSite, true],
    [{ mode: 'static', target_static: '/path' }, true],
    [toFlow, true],
    [{ mode: 'static', target_flow: 'flow-pk' }, false],
    [{ mode: 'flow', target_static: 'https://site.example/' }, false],
    [{ mode: 'static', target_static: 'javascript:alert(1)' }, false],
    [{ mode: 'static', target_static: 'site.example' }, false],
    [{}, false],
  ])('the configuration %j is accepted: %s', (config, accepted) => {
    expect(redirect.config.safeParse(config).success).toBe(accepted);
  });
});

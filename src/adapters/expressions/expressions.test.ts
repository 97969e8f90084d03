import { afterAll, expect, it } from 'vitest';
import { createExpressions } from './expressions.ts';

const expressions = createExpressions();
afterAll(() => expressions.close());
const host = async () => null;

it('runs Python', async () => {
  const answer = await expressions.evaluate({
    language: 'python',
    source: 'context["b"] = request.context["a"] + 1\nak_message("hi")\nreturn request.user.name',
    variables: {
      request: { $object: 'request', user: { $object: 'user', name: 'Ada' } },
      context: { a: 1, flow_plan: { $object: 'flow_plan' } },
    },
    host,
  });
  expect(answer).toEqual({
    result: 'Ada',
    messages: ['hi'],
    variables: { context: { a: 1, flow_plan: { $object: 'flow_plan' }, b: 2 } },
  });
});
it('checks', async () => {
  expect(await expressions.check('python', 'x = 1\ny = = 2')).toBe('line 2: Expected an expression');
});

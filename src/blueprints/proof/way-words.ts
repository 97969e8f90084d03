/** What is said of ways that lead nowhere, or round. */
import type { CompiledBinding } from '../../engine/flow.ts';
import type { Said } from './finding.ts';

export function restartLoop({ stage, invalidResponseAction }: CompiledBinding, why: string): Said {
  return {
    message: `The flow begins anew (invalid_response_action ${invalidResponseAction}) because ${why}, and nobody is asked anything on the way: it goes round until it is stopped.`,
    change: `Set invalid_response_action of "${stage.name}" to retry.`,
  };
}

export function jumpToNowhere({ stage }: CompiledBinding, slug: string | null): Said {
  const where = slug === null ? 'a flow that is gone' : `the flow ${slug}, which does not exist`;
  return {
    message: `"${stage.name}" leads into ${where}: everybody is denied there.`,
    change: 'Set target_flow to a flow that exists, or take the stage out.',
  };
}

export function jumpLoop({ stage }: CompiledBinding, slug: string): Said {
  return {
    message: `The way leads back into ${slug}, and nobody is asked anything in between: the browser goes round for ever.`,
    change: `Let "${stage.name}" lead elsewhere, or ask something on the way.`,
  };
}

export function linkNotUsedUp(secrets: readonly string[]): Said {
  const words = secrets.join(' and ').replaceAll('_', ' ');
  return {
    message: `The ${words} opens this flow again and again until it expires: whoever finds it in a mail or a history may use it, too.`,
    change: 'Bind the same stage once more, right after the write stage: there it is used up.',
  };
}

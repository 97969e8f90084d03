import type { Text } from '../protocol/text.ts';
import type { Effect, NewEvent } from './effects.ts';

/**
 * What a stage wants used up by the write that follows it, in that write's own commit: an invitation, say. So whoever
 * gives up on the way has used nothing, and of many who hold the same thing one writes.
 */
export interface Claim {
  /** Guarded: the commit refuses it, and with it the write, when it was used up meanwhile. */
  readonly effect: Effect;
  /** The event that tells of the use. */
  readonly event: Pick<NewEvent, 'action' | 'context'>;
  /** What the visitor reads when it was refused. */
  readonly otherwise: Text;
  /** This run used it: a second write does not use it again, nor does a run that begins again (W34). */
  readonly used?: true;
}

/** Keys of prompt_data that somebody else than the visitor decided for good (an invitation): no prompt changes them. */
import type { PlanContext } from '../engine/plan-context.ts';
import { attributePath } from './own-field.ts';

/** A key as fixed ones are written: `attributes_team` means `attributes.team`. */
export function plainKey(key: string): string {
  const path = attributePath(key);
  return path === null ? key : ['attributes', ...path].join('.');
}

/** Whether one of two plain keys is the other, or inside it. */
export function overlaps(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

/** Whether a field of this key would change a value that is fixed, a part of it, or what it is a part of. */
export function isFixed({ 'doorward/fixed': fixed = [] }: PlanContext, key: string): boolean {
  const own = plainKey(key);
  return fixed.some((one) => overlaps(one, own));
}

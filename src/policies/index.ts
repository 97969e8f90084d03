import type { AnyPolicy } from '../engine/policy.ts';
import { expression } from './expression/policy.ts';

/** The policies that the product ships, one line each. A bound policy of another kind cannot run, and so denies. */
export const policies: readonly AnyPolicy[] = [expression];

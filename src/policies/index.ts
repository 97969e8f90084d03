import type { AnyPolicy } from '../engine/policy.ts';
import { dummy } from './dummy/policy.ts';
import { eventMatcher } from './event-matcher/policy.ts';
import { expression } from './expression/policy.ts';
import { password } from './password/policy.ts';
import { passwordExpiry } from './password-expiry/policy.ts';
import { reputation } from './reputation/policy.ts';
import { uniquePassword } from './unique-password/policy.ts';

/** The policies that the product ships, one line each. A bound policy of another kind cannot run, and so denies. */
export const policies: readonly AnyPolicy[] = [
  dummy,
  eventMatcher,
  expression,
  password,
  passwordExpiry,
  reputation,
  uniquePassword,
];

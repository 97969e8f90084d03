import type { AnyStage } from '../engine/stage.ts';
import { deny } from './deny/stage.ts';
import { dummy } from './dummy/stage.ts';
import { prompt } from './prompt/stage.ts';
import { redirect } from './redirect/stage.ts';

/** The stages that the product ships, one line each. */
export const stages: readonly AnyStage[] = [
  // Asking
  prompt,
  // Ways out
  deny,
  redirect,
  dummy,
];

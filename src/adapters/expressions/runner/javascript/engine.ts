import type { Engine } from '../engine.ts';

export async function createJavaScript(): Promise<Engine> {
  throw new Error('JavaScript expressions cannot run here yet');
}

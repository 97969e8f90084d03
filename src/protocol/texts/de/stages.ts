import type { stages as en } from '../en/stages.ts';

export const stages: Record<keyof typeof en, string> = {};

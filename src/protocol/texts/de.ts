import { engine } from './de/engine.ts';
import { pages } from './de/pages.ts';
import { stages } from './de/stages.ts';
import type { MessageKey } from './en.ts';

export const de: Record<MessageKey, string> = { ...engine, ...stages, ...pages };

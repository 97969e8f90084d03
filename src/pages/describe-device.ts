import { deviceText } from '../protocol/device.ts';
import type { Words } from './words.ts';

/** A User-Agent header in words: "Firefox on Windows", "Safari on iPhone". */
export function describeDevice(agent: string, words: Words): string {
  return words.say(deviceText(agent));
}

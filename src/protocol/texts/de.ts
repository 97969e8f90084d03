import { account } from './de/account.ts';
import { approval } from './de/approval.ts';
import { authenticators } from './de/authenticators.ts';
import { captcha } from './de/captcha.ts';
import { engine } from './de/engine.ts';
import { mail } from './de/mail.ts';
import { pages } from './de/pages.ts';
import { policies } from './de/policies.ts';
import { stages } from './de/stages.ts';
import type { MessageKey } from './en.ts';

export const de: Record<MessageKey, string> = {
  ...engine,
  ...stages,
  ...policies,
  ...mail,
  ...pages,
  ...authenticators,
  ...captcha,
  ...approval,
  ...account,
};

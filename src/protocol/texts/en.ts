import { account } from './en/account.ts';
import { approval } from './en/approval.ts';
import { authenticators } from './en/authenticators.ts';
import { captcha } from './en/captcha.ts';
import { engine } from './en/engine.ts';
import { mail } from './en/mail.ts';
import { pages } from './en/pages.ts';
import { policies } from './en/policies.ts';
import { stages } from './en/stages.ts';

/** The English catalogue: the list of all keys. `{name}` in a text is replaced by a parameter. */
export const en = {
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

/** A key of the catalogues. */
export type MessageKey = keyof typeof en;

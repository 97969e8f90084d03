/**
 * Writes messages: the product's own templates, and those of a folder in their place. A template of the folder is a
 * text with `{{ name }}` where a value goes, and nothing else: no value of a visitor's is ever read as a template.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mail } from '../../engine/mail.ts';
import { mailTemplates } from '../../engine/mail.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import { localize } from '../../protocol/localize.ts';
import { knownTemplate, type Letter, letterOf, plainTemplate, shownValues } from './letter.ts';
import { escapeHtml, type Twins, twinsOf } from './twins.ts';

/** All templates of an installation. */
export interface MailTemplates {
  readonly names: readonly string[];
  has(template: string): boolean;
  /** @throws Error when there is no such template */
  write(mail: Mail): Twins;
}

/** What `{{ name }}` may be. */
export const placeholders = [
  ...['brand', 'subject', 'greeting', 'sentence', 'action', 'url', 'code', 'code_note', 'notes'],
  ...['name', 'username', 'device', 'place', 'expires', 'asked_at', 'reason'],
] as const;

const placeholder = /\{\{\s*([\w.]+)\s*\}\}/g;

/**
 * @param folder of files `NAME.html` and `NAME.txt`, also `NAME.de.html`; a first line `Subject: …` of the text is the
 * subject
 * @throws DoorwardError `configuration`, naming the file
 */
export function createTemplates(brand: string, folder: string | null): MailTemplates {
  const files = folder === null ? new Map<string, string>() : readTemplates(folder);
  const own = [...files.keys()].map((file) => file.split('.')[0] ?? '');
  const names = [...new Set([...mailTemplates, ...own])];
  return {
    names,
    has: (template) => names.includes(plainTemplate(template)),
    write(mail) {
      const name = plainTemplate(mail.template);
      if (!names.includes(name))
        throw new Error(`there is no mail template "${mail.template}"; see doorward mail preview`);
      const letter = letterOf(knownTemplate(name) ?? 'confirmation', mail, brand);
      const fileOf = (ending: string) =>
        files.get(`${name}.${mail.locale}.${ending}`) ?? files.get(`${name}.${ending}`);
      const twins = withFiles(twinsOf(letter, brand, mail.locale), [fileOf('txt'), fileOf('html')], {
        ...shownValues(mail),
        ...valuesOf(letter, brand),
      });
      const subject = mail.subject === undefined ? twins.subject : localize(mail.subject, mail.locale);
      return { ...twins, subject: subject.replace(/\s+/g, ' ').trim() };
    },
  };
}

function valuesOf({ codeNote, notes, ...letter }: Letter, brand: string): Readonly<Record<string, string>> {
  return { ...letter, brand, code_note: codeNote, notes: notes.join('\n\n') };
}

function withFiles(
  twins: Twins,
  [textFile, htmlFile]: readonly (string | undefined)[],
  values: Readonly<Record<string, string>>,
): Twins {
  const [, subject, rest] = /^Subject: *(.*)\r?\n\s*([\s\S]*)$/.exec(textFile ?? '') ?? [];
  const plain = (value: string): string => value;
  return {
    subject: subject === undefined ? twins.subject : fill(subject, values, plain),
    text: textFile === undefined ? twins.text : fill(rest ?? textFile, values, plain),
    html: htmlFile === undefined ? twins.html : fill(htmlFile, values, escapeHtml),
  };
}

function fill(template: string, values: Readonly<Record<string, string>>, inPlace: (value: string) => string): string {
  return template.replace(placeholder, (_, name: string) => inPlace(values[name] ?? ''));
}

function readTemplates(folder: string): ReadonlyMap<string, string> {
  try {
    const names = readdirSync(folder).filter((name) => /^[\w-]+(\.[a-z]{2})?\.(html|txt)$/.test(name));
    return new Map(names.sort().map((name) => [name, checked(name, readFileSync(join(folder, name), 'utf8'))]));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DoorwardError('configuration', `mail templates of ${folder} cannot be used: ${why}`);
  }
}

function checked(name: string, template: string): string {
  const odd = /\{%|\{#|\{\{(?!\s*[\w.]+\s*\}\})/.exec(template)?.[0];
  if (odd !== undefined) throw new Error(`${name}: "${odd}" is not understood; values are written {{ name }}`);
  for (const [, used = ''] of template.matchAll(placeholder))
    if (!placeholders.some((known) => known === used))
      throw new Error(`${name}: there is no value "${used}"; use ${placeholders.join(', ')}`);
  return template;
}

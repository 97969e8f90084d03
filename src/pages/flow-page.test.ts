import { describe, expect, it } from 'vitest';
import { brand } from '../../test/support/account-sample.ts';
import {
  everyPrompt,
  identification,
  prompt,
  promptField,
  samplePage,
  samplePages,
} from '../../test/support/page-samples.ts';
import { type FieldProblems, text } from '../protocol/text.ts';
import { parseBrand } from './brand.ts';

const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&`;
const wrong: FieldProblems[string] = [{ code: 'invalid', text: 'Not like this.' }];

/** The tag whose attributes include this text. */
function tagWith(html: string, attribute: string): string {
  return html.match(/<[^>]+>/g)?.find((tag) => tag.includes(attribute)) ?? '';
}

describe('whatever is typed or configured stays text', () => {
  const everywhere = prompt(
    promptField('text', { field_key: hostile, label: hostile, placeholder: hostile, initial_value: hostile }),
    promptField('text_area', { field_key: 'area', initial_value: `</textarea>${hostile}` }),
    promptField('dropdown', { field_key: 'dropdown', choices: [hostile], initial_value: hostile }),
    promptField('radio-button-group', { field_key: 'radio', choices: [hostile] }),
    promptField('multi-select', { field_key: 'many', choices: [hostile], initial_value: JSON.stringify([hostile]) }),
    promptField('checkbox', { field_key: 'box', label: hostile }),
    promptField('separator', { field_key: 'line', placeholder: hostile }),
    promptField('hidden', { field_key: 'hidden', initial_value: hostile }),
  );

  it('in a prompt with its labels, keys, choices, values, problems, notices, title and brand (PR-11)', () => {
    const html = samplePage(everywhere, {
      title: hostile,
      brand: parseBrand({ name: hostile, links: [{ name: hostile, href: '/a?b="c' }] }),
      problems: { [hostile]: [{ code: 'invalid', text: hostile }], elsewhere: [{ code: 'invalid', text: hostile }] },
      values: { [hostile]: hostile, area: `</textarea>${hostile}` },
      reply: { messages: [hostile], stepToken: hostile },
    });
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toContain('<img');
    expect(html).not.toContain(`onerror='`);
    expect(html.match(/<\/textarea>/g)).toHaveLength(1);
  });

  it.each([
    [
      'the shown user',
      samplePage({ component: 'ak-stage-password', allow_show_password: true }, { reply: { pendingUser: hostile } }),
    ],
    ['a denial', samplePage({ component: 'ak-stage-access-denied', error_message: hostile })],
    ['an error', samplePage({ component: 'ak-stage-flow-error', request_id: hostile, error: hostile })],
    ['a stage name', samplePage({ component: 'ak-stage-dummy', name: hostile })],
    ['the query', samplePage(identification, { query: `next=${hostile}` })],
  ])('in %s', (_, html) => {
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toContain('<img');
  });

  it('in the parameters of a catalogue text that stands where HTML may', () => {
    const sub_text = text('page.unknown_component', { component: hostile });
    expect(samplePage(prompt(promptField('text', { sub_text })))).not.toContain('<img');
  });

  it('while sanitised HTML of a static field is drawn as HTML', () => {
    expect(samplePage(prompt(promptField('static', { initial_value: '<em>quiet</em>' })))).toContain('<em>quiet</em>');
  });
});

describe('problems stand at their field', () => {
  const pair = prompt(
    promptField('text', { field_key: 'a', label: 'First' }),
    promptField('text', { field_key: 'b', label: 'Second' }),
  );

  it('named by the control, listed at the head, focused first', () => {
    const html = samplePage(pair, { problems: { b: wrong } });
    const control = tagWith(html, 'name="b"');
    expect(control).toContain('aria-invalid="true"');
    expect(control).toContain('aria-describedby="field-1-problem"');
    expect(control).toContain('autofocus');
    expect(html).toContain('<div class="problem" id="field-1-problem"><p>Not like this.</p>');
    expect(html).toContain('<a href="#field-1">Second: Not like this.</a>');
    expect(tagWith(html, 'name="a"')).not.toMatch(/aria-invalid|autofocus/);
    expect(html).toContain('<title>Error: Welcome back - Lindenhof</title>');
  });

  it('and those of the whole form, or of a field that is not here, in an alert at its head', () => {
    const html = samplePage(pair, {
      problems: { non_field_errors: wrong, elsewhere: [{ code: 'invalid', text: 'Gone.' }] },
    });
    expect(html).toContain('<div class="summary" role="alert"><p>Not like this.</p><p>Gone.</p></div>');
    expect(tagWith(html, 'name="a"')).toContain('autofocus');
  });

  it('whatever its key is called', () => {
    const fields = ['__proto__', 'constructor', 'toString'].map((field_key) =>
      promptField('text', { field_key, initial_value: 'kept' }),
    );
    const html = samplePage(prompt(...fields), { problems: { constructor: wrong } });
    expect(html.match(/value="kept"/g)).toHaveLength(3);
    expect(html.match(/aria-invalid/g)).toHaveLength(1);
  });

  it('with the hint still read out', () => {
    const html = samplePage(prompt(promptField('text', { field_key: 'a', sub_text: 'Hint' })), {
      problems: { a: wrong },
    });
    expect(tagWith(html, 'name="a"')).toContain('aria-describedby="field-0-problem field-0-hint"');
  });
});

describe('what was typed', () => {
  it('is kept in every field but passwords (PR-12)', () => {
    const form = prompt(
      promptField('email', { field_key: 'email', initial_value: 'old@example.org' }),
      promptField('password', { field_key: 'password', initial_value: 'initial-secret' }),
    );
    const html = samplePage(form, {
      problems: { email: wrong },
      values: { email: 'new@example', password: 'typed-secret' },
    });
    expect(tagWith(html, 'name="email"')).toContain('value="new@example"');
    expect(html).not.toMatch(/typed-secret|initial-secret/);
  });

  it('of the sign-in keeps the name alone', () => {
    const html = samplePage(identification, {
      problems: { non_field_errors: wrong },
      values: { uid_field: 'ada', password: 'typed-secret' },
    });
    expect(tagWith(html, 'name="uid_field"')).toContain('value="ada"');
    expect(html).not.toContain('typed-secret');
  });

  it('includes that a box was not ticked', () => {
    const form = prompt(
      promptField('text', { field_key: 'name' }),
      promptField('checkbox', { field_key: 'news', initial_value: 'True' }),
      promptField('multi-select', { field_key: 'topics', initial_value: '["Forest walks"]' }),
    );
    expect(samplePage(form).match(/ checked/g)).toHaveLength(2);
    expect(samplePage(form, { problems: { name: wrong }, values: { name: '' } })).not.toContain(' checked');
    const many = { name: '', topics: ['Forest walks', 'Evening lectures'] };
    expect(samplePage(form, { problems: { name: wrong }, values: many }).match(/ checked/g)).toHaveLength(2);
  });

  it('does not replace what the server fixed', () => {
    expect(samplePage(everyPrompt)).not.toContain('campaign-7');
  });
});

describe('a form', () => {
  it('focuses its first field that can be edited', () => {
    const html = samplePage(
      prompt(promptField('text_read_only', { field_key: 'a' }), promptField('text', { field_key: 'b' })),
    );
    expect(html.match(/autofocus/g)).toHaveLength(1);
    expect(tagWith(html, 'name="b"')).toContain('autofocus');
  });

  it('is sent as multipart only with a file in it', () => {
    expect(samplePage(prompt(promptField('file')))).toContain('enctype="multipart/form-data"');
    expect(samplePage(prompt(promptField('text')))).not.toContain('enctype');
  });

  it('names its component and its step', () => {
    const html = samplePage(identification);
    expect(tagWith(html, '<form')).toBe('<form method="post" action="/if/flow/sample/?next=%2Fapp">');
    expect(tagWith(html, 'name="component"')).toContain('value="ak-stage-identification"');
    expect(tagWith(html, 'name="step"')).toContain('value="step-token"');
  });

  it('tells password managers what is what', () => {
    const signIn = samplePage(identification);
    expect(tagWith(signIn, 'name="uid_field"')).toContain('autocomplete="username"');
    expect(tagWith(signIn, 'name="password"')).toContain('autocomplete="current-password"');
    const password = samplePage(
      { component: 'ak-stage-password', allow_show_password: false },
      { reply: { pendingUser: 'ada' } },
    );
    expect(tagWith(password, 'autocomplete="username"')).toMatch(/hidden.*value="ada"/);
    expect(password).not.toContain('data-reveals');
    expect(tagWith(samplePage(prompt(promptField('password'))), 'name="password"')).toContain(
      'autocomplete="new-password"',
    );
  });

  it('shows date and time as the control wants them', () => {
    for (const [given, shown] of [
      ['2026-05-04T08:30:15Z', '2026-05-04T08:30'],
      ['2026-05-04 08:30', '2026-05-04T08:30'],
      ['soon', ''],
    ] as const)
      expect(samplePage(prompt(promptField('date-time', { initial_value: given })))).toContain(`value="${shown}"`);
  });
});

describe('links', () => {
  it('to other flows take the query along (ID-10)', () => {
    expect(samplePage(identification)).toContain('href="/if/flow/enrollment/?next=%2Fapp"');
    expect(samplePage(identification, { query: '' })).toContain('href="/if/flow/enrollment/"');
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '/\\evil.example',
    'https:evil',
    ' https://a.example',
  ])('never lead to %s', (to) => {
    const html = samplePage({ component: 'xak-flow-redirect', to });
    expect(html).not.toContain('data-onward');
    expect(html).toContain('You can close this page now.');
  });

  it('lead on where the flow ends', () => {
    expect(samplePage({ component: 'xak-flow-redirect', to: '/app?a=1' })).toContain('href="/app?a=1"');
  });
});

describe('every page', () => {
  it.each(Object.entries(samplePages))('%s works under the policy: nothing inline', (_, html) => {
    // A page that waits comes again by itself, where there is no script to look.
    const rest = html.replace('<noscript><meta http-equiv="refresh" content="20"/></noscript>', '');
    expect(rest).not.toMatch(/ style=| on[a-z]+=|<style|javascript:|http-equiv/);
    expect(
      html.match(/<script[^>]*>/g)?.every((tag) => / src="\/static\/| src="https:.* data-captcha-script/.test(tag)),
    ).toBe(true);
    expect(html.match(/autofocus/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  it('is in the language of the reply', () => {
    const html = samplePage(identification, { locale: 'de', title: 'Willkommen' });
    expect(html).toContain('<html lang="de">');
    expect(html).toContain('Benutzername oder E-Mail-Adresse');
    expect(html).toContain('Passwort vergessen?');
  });

  it('has the flow and the brand in its title', () => {
    expect(samplePage(identification)).toContain(`<title>Welcome back - ${brand.name}</title>`);
  });

  it('has the image of the flow before that of the brand, and none from a strange address', () => {
    const withImage = parseBrand({ background: '/brand.jpg' });
    const image = (background: string) =>
      tagWith(samplePage(identification, { brand: withImage, background }), 'class="backdrop"');
    expect(image('/flow.jpg')).toContain('src="/flow.jpg"');
    expect(image('')).toContain('src="/brand.jpg"');
    expect(image('javascript:alert(1)')).toContain('src="/brand.jpg"');
  });
});

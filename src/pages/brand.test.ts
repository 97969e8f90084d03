import { describe, expect, it } from 'vitest';
import { fc } from '../../test/support/properties.ts';
import { brandCss, brandStylesheet, defaultBrand, parseBrand } from './brand.ts';
import { contrast, parseHex } from './colour.ts';

/** The value of a variable in the light (0) or the dark (1) theme. */
function variable(css: string, name: string, theme: 0 | 1) {
  return parseHex([...css.matchAll(new RegExp(`--${name}:(#[0-9a-f]{6})`, 'g'))][theme]?.[1] ?? '');
}

const hex = fc.integer({ min: 0, max: 0xffffff }).map((number) => `#${number.toString(16).padStart(6, '0')}`);

describe('any accent can be read', () => {
  it('as text on every ground, and with text on it, in both themes (WCAG 1.4.3)', () => {
    fc.assert(
      fc.property(hex, (accent) => {
        const css = brandCss(parseBrand({ accent }));
        const grounds = [
          ['#ffffff', '#f6f7f5', '#f1f3f1'],
          ['#181e1c', '#101513', '#232a28'],
        ] as const;
        for (const theme of [0, 1] as const) {
          for (const ground of grounds[theme])
            expect(contrast(variable(css, 'accent-text', theme), parseHex(ground))).toBeGreaterThanOrEqual(4.5);
          const ink = variable(css, 'on-accent', theme);
          for (const fill of ['accent', 'accent-hover'])
            expect(contrast(ink, variable(css, fill, theme))).toBeGreaterThanOrEqual(4.5);
        }
      }),
    );
  });

  it('and is kept as it is where it already can be', () => {
    expect(brandCss(parseBrand({ accent: '#0b5' }))).toContain('--accent:#00bb55');
    expect(brandCss(defaultBrand)).toContain('--accent:#1f6f5c;--on-accent:#ffffff');
  });
});

describe('a brand', () => {
  it('has defaults for all that is not given', () => {
    expect(parseBrand(undefined)).toEqual(defaultBrand);
    expect(parseBrand({ name: 'Example' })).toMatchObject({ name: 'Example', logo: '/static/logo.svg', links: [] });
  });

  it.each([
    [{ accent: 'red' }, /accent/],
    [{ accent: '#123;}body{display:none' }, /accent/],
    [{ logo: 'javascript:alert(1)' }, /logo/],
    [{ background: '//evil.example/x.png' }, /background/],
    [{ links: [{ name: 'x', href: 'data:text/html,x' }] }, /links 0 href/],
    [{ colour: '#fff' }, /colour/],
  ])('that is wrong is refused with the member named: %j', (given, named) => {
    expect(() => parseBrand(given)).toThrow(named);
  });

  it('has another stylesheet address when it looks different', () => {
    const path = (accent: string) => brandStylesheet(parseBrand({ accent })).path;
    expect(path('#ff0000')).not.toBe(path('#00ff00'));
    expect(path('#ff0000')).toMatch(/^\/static\/brand-[0-9a-f]{12}\.css$/);
  });
});

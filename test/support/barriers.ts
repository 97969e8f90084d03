import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Brings axe along to all that the page goes to from now on. */
export function bringAxe(page: Page): Promise<unknown> {
  return page.addInitScript(axe.source);
}

/** What axe finds on the page, in all its rules or in these. */
export function barriers(page: Page, ...rules: readonly string[]): Promise<readonly unknown[]> {
  return page.evaluate(async (runOnly) => {
    const { axe } = window as unknown as { readonly axe: typeof import('axe-core') };
    const { violations } = await axe.run({
      ...{ resultTypes: ['violations'], preload: false },
      ...(runOnly.length === 0 ? {} : { runOnly: [...runOnly] }),
    });
    return violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
  }, rules);
}

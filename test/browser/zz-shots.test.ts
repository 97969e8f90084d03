import { test } from 'vitest';
import { launchBrowser } from '/work/main/test/support/browser.ts';
import { samplePages, brand } from '/work/main/test/support/page-samples.ts';
import { servePages, siteOrigin } from '/work/main/test/support/page-site.ts';
import { parseBrand } from '/work/main/src/pages/brand.ts';
test('shots', async () => {
  const b = await launchBrowser();
  const only = (process.env.ONLY ?? '').split(',').filter(Boolean);
  for (const scheme of ['light','dark'] as const) for (const width of [360, 1280]) {
    const context = await b.newContext({ colorScheme: scheme, viewport: { width, height: width < 500 ? 740 : 860 }, deviceScaleFactor: 1 });
    await servePages(context, samplePages, [brand, parseBrand({...brand, background:'/x'}), parseBrand({ name: 'Sonne', accent: '#ffd400' }), parseBrand({ name: 'Tiefe', accent: '#0a1a3f' })]);
    const page = await context.newPage();
    page.on('console', m => console.log(m.text())); page.on('pageerror', e => console.log(String(e)));
    for (const name of Object.keys(samplePages)) {
      if (only.length && !only.includes(name)) continue;
      if (name === 'redirect') continue;
      await page.goto(`${siteOrigin}/${name}`);
      await page.screenshot({ path: `/tmp/shots/${name}-${scheme}-${width}.png`, fullPage: true });
    }
    await context.close();
  }
  await b.close();
}, 300000);

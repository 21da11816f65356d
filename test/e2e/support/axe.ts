/** Accessibility checks with axe-core, put into the page under test. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { expect, type Page } from '@playwright/test';
import type axe from 'axe-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails with every violation (rule, impact, where) that axe finds on the page as it is. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated, not added as a script: the page's policy allows no inline script.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { axe: checker } = window as unknown as { axe: typeof axe };
    const { violations: found } = await checker.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return found.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      where: nodes.map(({ target }) => target.join(' ')),
    }));
  });
  expect(violations).toEqual([]);
}

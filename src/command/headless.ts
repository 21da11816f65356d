/**
 * A page of ours in headless Chromium, for commands. It always has the same origin, whatever port it is served from,
 * so that a profile finds its storage again.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright';
import { buildPage, servePage, type Files, type Route } from '../../test/setup/bundle.ts';
import { chromiumLaunch } from '../../test/setup/chromium.js';

const HOST = 'beamlet.localhost';

export interface HeadlessOptions {
  /** Path of the page's HTML from the project's root. */
  readonly html: string;
  /** Built already: skips the build. */
  readonly files?: Files;
  /** Directory that keeps what the page stores; without one it is gone at the end. */
  readonly profile?: string | undefined;
  readonly route?: Route;
  /**
   * The page may read what other origins answer, as a program outside a browser may: a node among nodes is not a page
   * among pages.
   */
  readonly anyOrigin?: boolean;
}

/** Without these a page cannot talk to a node that sends no CORS headers, or to one on this machine or network. */
const ANY_ORIGIN = [
  '--disable-web-security',
  '--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
];

export interface Headless {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Resolves with a sentence when page or browser die unasked. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}

export async function openHeadless(options: HeadlessOptions): Promise<Headless> {
  // Loaded here, so that a wrong call is told at once.
  const { chromium } = await import('playwright');
  const files = options.files ?? (await buildPage(options.html));
  const server = await servePage(files, options.route);
  const profile = options.profile ?? mkdtempSync(join(tmpdir(), 'beamlet-'));
  const launch = chromiumLaunch();
  const address = new URL(server.origin).host;
  let context: BrowserContext;
  try {
    context = await chromium.launchPersistentContext(profile, {
      ...launch,
      // Signals are the command's business: it closes what it opened.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        ...(launch.args ?? []),
        ...(options.anyOrigin ? ANY_ORIGIN : []),
        `--host-resolver-rules=MAP ${HOST}:80 ${address}`,
      ],
    });
  } catch (error) {
    await server.close();
    throw error;
  }
  const page = context.pages()[0] ?? (await context.newPage());
  const died = new Promise<string>((resolve) => {
    page.once('crash', () => resolve('The page of the node crashed.'));
    context.once('close', () => resolve('The browser ended.'));
  });
  await page.goto(`http://${HOST}/${options.html}`);
  return {
    page,
    context,
    died,
    async close() {
      await context.close().catch(() => {});
      await server.close();
      if (options.profile === undefined) removeFolder(profile);
    },
  };
}

/** The browser's last processes may still write for a moment; what then remains is in the system's temporary folder. */
function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch {
    // Nothing depends on it.
  }
}

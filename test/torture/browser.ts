/** A Chromium that can be killed: started as a process of our own, so that its ID is known. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chromium, type Browser, type Page } from 'playwright';
import { chromiumLaunch, chromiumPath } from '../setup/chromium.js';

const HOST = 'beamlet.localhost';

export class Victim {
  readonly page: Page;
  readonly #process: ChildProcess;
  readonly #browser: Browser;

  private constructor(process: ChildProcess, browser: Browser, page: Page) {
    this.#process = process;
    this.#browser = browser;
    this.page = page;
  }

  /** Opens `path` of the server at `origin`, under an address that stays the same for the profile. */
  static async start(profile: string, origin: string, path: string): Promise<Victim> {
    const flags = [
      ...(chromiumLaunch().args ?? []),
      '--headless=new',
      '--remote-debugging-port=0',
      '--password-store=basic',
      '--use-mock-keychain',
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=MAP ${HOST}:80 ${new URL(origin).host}`,
      'about:blank',
    ];
    const process = spawn(chromiumPath() ?? chromium.executablePath(), flags, {
      // A group of its own: what the browser starts dies with it.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const endpoint = await debuggerOf(process);
    const browser = await chromium.connectOverCDP(endpoint);
    const context = browser.contexts()[0]!;
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`http://${HOST}/${path}`);
    return new Victim(process, browser, page);
  }

  /** At once, with no chance to write anything more. */
  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    const ended = exitCode === null && signalCode === null ? once(this.#process, 'exit') : undefined;
    try {
      globalThis.process.kill(-this.#process.pid!, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await ended;
    await this.#browser.close().catch(() => {});
  }
}

function debuggerOf(process: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`Chromium did not start.\n${said}`)), 60_000);
    process.stderr!.on('data', (part) => {
      said += String(part);
      const endpoint = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (!endpoint) return;
      clearTimeout(timer);
      process.stderr!.removeAllListeners('data').resume();
      resolve(endpoint);
    });
    process.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`Chromium ended at its start.\n${said}`));
    });
  });
}

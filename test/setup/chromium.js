import { existsSync } from 'node:fs';

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of a Chromium that this machine already has, or undefined (then Playwright's own is used). */
export function chromiumPath() {
  const asked = process.env.CHROMIUM_PATH;
  if (asked) return asked;
  return installed.find((path) => existsSync(path));
}

/**
 * Launch options for every browser that tests and commands start.
 * The flags keep Chromium from dialling out and let it run as root in a container.
 */
export function chromiumLaunch() {
  const executablePath = chromiumPath();
  return {
    ...(executablePath ? { executablePath } : {}),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  };
}

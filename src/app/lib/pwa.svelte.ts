/** Installing and updating, as the browser offers them. */
import { toasts } from './toasts.svelte.ts';

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

class Pwa {
  #prompt = $state.raw<InstallPrompt | undefined>();

  get installable(): boolean {
    return this.#prompt !== undefined;
  }

  start(): void {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.#prompt = event as InstallPrompt;
    });
    addEventListener('appinstalled', () => (this.#prompt = undefined));
    // A page that was controlled before and gets another controller runs the code of yesterday.
    if (navigator.serviceWorker?.controller)
      navigator.serviceWorker.addEventListener('controllerchange', () =>
        toasts.show('A new version of Beamlet is ready. Reloading keeps everything.', 'info', {
          label: 'Reload',
          run: () => location.reload(),
        }),
      );
  }

  async install(): Promise<void> {
    const prompt = this.#prompt;
    this.#prompt = undefined;
    await prompt?.prompt();
  }
}

export const pwa = new Pwa();

/** Light, dark or as the system has it; `public/theme.js` sets the same before the first paint. */

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'beamlet:theme';

class ThemeChoice {
  chosen = $state<Theme>(read());

  choose(theme: Theme): void {
    this.chosen = theme;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Storage denied: the choice holds for this visit.
    }
  }

  get dark(): boolean {
    return this.chosen === 'system'
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : this.chosen === 'dark';
  }
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new ThemeChoice();

/** Paths opened lately, newest first, kept across reloads. */

const KEY = 'beamlet:recent';
const LIMIT = 12;

class Recent {
  paths = $state.raw<string[]>(read());

  add(path: string): void {
    this.paths = [path, ...this.paths.filter((other) => other !== path)].slice(0, LIMIT);
    try {
      localStorage.setItem(KEY, JSON.stringify(this.paths));
    } catch {
      // Storage denied: they last for this visit.
    }
  }
}

function read(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.filter((path) => typeof path === 'string').slice(0, LIMIT) : [];
  } catch {
    return [];
  }
}

export const recent = new Recent();

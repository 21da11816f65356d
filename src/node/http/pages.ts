/** Pages for people, where a browser asked and there is nothing else to show (resolver.md §7.6). */
import { toBytes } from '../../base/bytes.ts';

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const TITLES: Readonly<Record<number, string>> = { 404: 'Nothing here', 500: 'This went wrong' };

/** The page for a status, with a sentence on what happened. */
export function errorPage(status: number, sentence: string): Uint8Array {
  const title = TITLES[status] ?? `Status ${status}`;
  return toBytes(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color-scheme: light dark; max-width: 40rem; margin: 15vh auto 0; padding: 0 1rem }
h1 { font-size: 1.5rem }
p { overflow-wrap: anywhere }
</style>
<h1>${title}</h1>
<p>${escapeHtml(sentence)}</p>
</html>
`);
}

/**
 * The app's own addresses, all in the hash: AO paths belong to the Service Worker, so the app keeps off them.
 * Everything worth sharing is here; reading and writing are each other's inverse.
 */

export const PROCESS_TABS = ['prompt', 'slots', 'state', 'verify', 'about'] as const;
export type ProcessTab = (typeof PROCESS_TABS)[number];

export type Route =
  | { screen: 'home'; spawn: boolean }
  | { screen: 'process'; id: string; tab: ProcessTab; query: Record<string, string> }
  /** `target` empty: nothing asked for yet. */
  | { screen: 'path'; target: string }
  | { screen: 'message'; id: string; query: Record<string, string> }
  | { screen: 'verify'; query: Record<string, string> }
  | { screen: 'follow'; query: Record<string, string> }
  | { screen: 'nodes' }
  | { screen: 'storage' }
  | { screen: 'lost'; hash: string };

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '') || '/';
  // What follows `/path` is an AO target as it was typed: neither decoded nor split here.
  if (text === '/path') return { screen: 'path', target: '' };
  if (text.startsWith('/path/')) return { screen: 'path', target: text.slice('/path'.length) };
  const at = text.indexOf('?');
  const parts = (at < 0 ? text : text.slice(0, at)).split('/').slice(1);
  const query = Object.fromEntries(new URLSearchParams(at < 0 ? '' : text.slice(at + 1)));
  const [screen, id, tab] = parts;
  if (screen === '') return { screen: 'home', spawn: false };
  if (screen === 'new') return { screen: 'home', spawn: true };
  if (screen === 'nodes' || screen === 'storage') return { screen };
  if (screen === 'verify' || screen === 'follow') return { screen, query };
  if (screen === 'message' && id) return { screen, id, query };
  if (screen === 'process' && id) {
    const known = PROCESS_TABS.find((name) => name === (tab ?? 'prompt'));
    if (known) return { screen, id, tab: known, query };
  }
  return { screen: 'lost', hash: text };
}

export function toHash(route: Route): string {
  switch (route.screen) {
    case 'home':
      return route.spawn ? '#/new' : '#/';
    case 'process':
      return `#/process/${route.id}/${route.tab}${queryText(route.query)}`;
    case 'path':
      return `#/path${route.target}`;
    case 'message':
      return `#/message/${route.id}${queryText(route.query)}`;
    case 'verify':
    case 'follow':
      return `#/${route.screen}${queryText(route.query)}`;
    case 'lost':
      return `#${route.hash}`;
    default:
      return `#/${route.screen}`;
  }
}

function queryText(query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text && `?${text}`;
}

/** The current route, as state; hash navigation keeps the browser's history and links working by themselves. */
import { isAoPath } from '../../client/index.ts';
import { parseRoute, toHash, type Route } from './route.ts';

/**
 * An AO path that was navigated to while no node ran gets this app's document under its own address: the node
 * starts in it, and the path's screen shows the answer.
 */
function read(): Route {
  if (!location.hash && isAoPath(location.pathname))
    return { screen: 'path', target: location.pathname + location.search };
  return parseRoute(location.hash);
}

class Router {
  route = $state.raw<Route>(read());

  constructor() {
    addEventListener('hashchange', () => {
      const before = this.route.screen;
      // From an AO path's own address into the app: its screens live at the root.
      if (location.pathname !== '/') history.replaceState(history.state, '', `/${location.hash}`);
      this.route = read();
      if (this.route.screen !== before) scrollTo(0, 0);
    });
  }

  go(route: Route, options: { replace?: boolean } = {}): void {
    const hash = toHash(route);
    if (options.replace) {
      history.replaceState(history.state, '', `/${hash}`);
      this.route = parseRoute(hash);
    } else location.hash = hash;
  }

  /** Changes the query of the current screen in place: sliders and selections that are worth sharing. */
  setQuery(changes: Record<string, string | undefined>): void {
    const route = this.route;
    if (!('query' in route)) return;
    const query = { ...route.query };
    for (const [key, value] of Object.entries(changes))
      if (value === undefined) delete query[key];
      else query[key] = value;
    this.go({ ...route, query }, { replace: true });
  }
}

export const router = new Router();

/** The route while it is one of this screen; its last one while the screen is on its way out. */
export function routeOf<S extends Route['screen']>(
  screen: S,
): { readonly now: Extract<Route, { screen: S }> } {
  type Own = Extract<Route, { screen: S }>;
  let last = router.route as Own;
  return {
    get now() {
      if (router.route.screen === screen) last = router.route as Own;
      return last;
    },
  };
}

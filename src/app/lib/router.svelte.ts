/** The current route, as state; hash navigation keeps the browser's history and links working by themselves. */
import { parseRoute, toHash, type Route } from './route.ts';

class Router {
  route = $state.raw<Route>(parseRoute(location.hash));

  constructor() {
    addEventListener('hashchange', () => {
      const before = this.route.screen;
      this.route = parseRoute(location.hash);
      if (this.route.screen !== before) scrollTo(0, 0);
    });
  }

  go(route: Route, options: { replace?: boolean } = {}): void {
    const hash = toHash(route);
    if (options.replace) {
      history.replaceState(history.state, '', hash);
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
export { toHash };

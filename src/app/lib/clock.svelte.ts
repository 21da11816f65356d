/** The present, as state, for relative times: one timer for all of them. */

class Clock {
  now = $state(Date.now());

  constructor() {
    const tick = () => {
      if (document.visibilityState === 'visible') this.now = Date.now();
    };
    setInterval(tick, 5_000);
    document.addEventListener('visibilitychange', tick);
  }
}

export const clock = new Clock();

// Before the first paint, so that a chosen theme never flashes in the other one's colours.
(() => {
  try {
    const theme = localStorage.getItem('beamlet:theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage denied: the system's theme holds.
  }
})();

/**
 * HTML without what a sandboxed frame under our policy would refuse anyway, so that nothing is asked for and
 * refused, and with a style sheet of ours. This is for calm, not for safety: safety is the frame's sandbox.
 */
export function quietHtml(text: string, look: { stylesheet: string; dark: boolean }): string {
  // Before parsing: a parsed document is already under the page's policy, and each of its styles would be refused.
  const plain = text
    .replace(/<style\b[\s\S]*?(?:<\/style\s*>|$)/gi, '')
    .replace(/(<[a-z][^>]*?)\sstyle\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi, '$1');
  const page = new DOMParser().parseFromString(plain, 'text/html');
  for (const element of page.querySelectorAll(
    'script, link, meta, base, iframe, frame, object, embed, audio, video, source, form',
  )) {
    if (element.localName === 'form') element.replaceWith(...element.childNodes);
    else element.remove();
  }
  for (const element of page.querySelectorAll('*'))
    for (const { name, value } of [...element.attributes]) {
      const remote = ['src', 'srcset', 'poster', 'background'].includes(name) && !value.startsWith('data:');
      if (name === 'style' || name.startsWith('on') || remote) element.removeAttribute(name);
    }
  const sheet = page.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = look.stylesheet;
  page.head.append(sheet);
  page.documentElement.dataset['theme'] = look.dark ? 'dark' : 'light';
  return `<!doctype html>${page.documentElement.outerHTML}`;
}

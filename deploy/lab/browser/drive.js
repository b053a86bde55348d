// What scripts of tests have: pages in frames of a width, clicks on what stands on them, and axe-core's findings.
const visit = {
  // loaded waits until a frame shows another page.
  loaded: frame => new Promise(done => frame.addEventListener('load', () => done(frame), { once: true })),

  async open(address, width) {
    const frame = document.createElement('iframe');
    frame.width = width;
    frame.height = 900;
    frame.src = address;
    const there = visit.loaded(frame);
    document.body.replaceChildren(frame);
    return there;
  },

  text: frame => frame.contentDocument.body.innerText.replace(/\s+/g, ' '),

  // click follows the link that reads so, or begins so.
  async click(frame, words) {
    const links = [...frame.contentDocument.querySelectorAll('main a, nav a')];
    const link = links.find(a => a.textContent.trim() === words) || links.find(a => a.textContent.trim().startsWith(words));
    if (!link) throw new Error('no link reads ' + words + ' on ' + frame.contentWindow.location);
    const there = visit.loaded(frame);
    link.click();
    return there;
  },

  // findings are what axe-core finds, and that a page is wider than its window.
  async findings(frame) {
    const page = frame.contentDocument;
    const script = page.createElement('script');
    script.src = '/-/axe.js';
    const there = new Promise(done => { script.onload = done; });
    page.head.append(script);
    await there;
    const found = await frame.contentWindow.axe.run(page, { resultTypes: ['violations'] });
    const all = found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).slice(0, 3).join(' | '));
    const root = page.documentElement;
    if (root.scrollWidth > root.clientWidth) all.push('wider than its window: ' + root.scrollWidth + ' > ' + root.clientWidth);
    if (found.passes.length < 10) all.push('axe-core looked at next to nothing');
    return all;
  },
};

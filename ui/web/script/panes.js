// The panes: drawer on a phone, tabs, edges that can be moved.
function toggleDrawer(wanted) {
  const shut = body.classList.toggle('library-open', wanted);
  find('#top-bar [data-drawer]')?.setAttribute('aria-expanded', String(shut));
}

function showTab(name) {
  document.querySelectorAll('#tabs [role="tab"]').forEach((tab) => {
    const here = tab.dataset.tab === name;
    tab.setAttribute('aria-selected', String(here));
    tab.tabIndex = here ? 0 : -1;
  });
  find('#talks').hidden = name !== 'talks';
  body.classList.toggle('talks-shown', name === 'talks');
  if (name === 'talks') refreshTalks();
}

const LIMITS = { library: [220, 480, 292], source: [320, 900, 600] };
function setWidth(pane, width, keep = true) {
  const [least, most] = LIMITS[pane];
  const value = Math.round(Math.min(Math.max(width, least), Math.min(most, window.innerWidth * 0.6)));
  document.documentElement.style.setProperty(`--${pane}-width`, `${value}px`);
  find(`#split-${pane}`)?.setAttribute('aria-valuenow', String(value));
  if (keep) try { localStorage.setItem(`dossier.${pane}`, String(value)); } catch (error) { /* not allowed: forgotten */ }
}
function makeSplit(pane, host, label) {
  const edge = document.createElement('div');
  edge.id = `split-${pane}`;
  edge.className = 'split';
  edge.tabIndex = 0;
  const [least, most] = LIMITS[pane];
  for (const [name, value] of Object.entries({ role: 'separator', 'aria-orientation': 'vertical', 'aria-label': label,
    'aria-valuemin': least, 'aria-valuemax': most, 'aria-valuenow': find(host)?.offsetWidth || LIMITS[pane][2] })) edge.setAttribute(name, String(value));
  const toward = pane === 'library' ? 1 : -1;
  edge.addEventListener('pointerdown', (event) => {
    const from = { x: event.clientX, width: find(host).offsetWidth };
    edge.setPointerCapture(event.pointerId);
    const move = (moved) => setWidth(pane, from.width + toward * (moved.clientX - from.x));
    edge.addEventListener('pointermove', move);
    edge.addEventListener('pointerup', () => edge.removeEventListener('pointermove', move), { once: true });
    event.preventDefault();
  });
  edge.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
    if (by) { setWidth(pane, find(host).offsetWidth + toward * by); event.preventDefault(); }
  });
  find(host)?.append(edge);
}
function prepareSplits() {
  if (find('.split') || !find('#library-pane') || !find('#source-pane')) return;
  for (const pane of Object.keys(LIMITS)) {
    const kept = Number((() => { try { return localStorage.getItem(`dossier.${pane}`); } catch (error) { return 0; } })());
    if (kept) setWidth(pane, kept, false);
  }
  makeSplit('library', '#library-pane', TEXTS['split.library']);
  makeSplit('source', '#source-pane', TEXTS['split.source']);
}

// Gradio's own buttons and boxes have no name that a screen reader could read.
function nameParts() {
  find('#question .submit-button')?.setAttribute('aria-label', TEXTS.ask);
  find('#question .stop-button')?.setAttribute('aria-label', TEXTS.stop);
  find('#question textarea')?.setAttribute('aria-label', TEXTS.question);
  find('#filter textarea, #filter input')?.setAttribute('aria-label', TEXTS.filter);
  for (const id of ['#conversation-id', '#chosen']) find(`${id} textarea, ${id} input`)?.setAttribute('aria-label', id.slice(1));
  if (document.documentElement.lang !== 'en') document.documentElement.lang = 'en';
  find('#conversation')?.setAttribute('tabindex', '0');
  find('#library')?.setAttribute('tabindex', '0');
  prepareSplits();
}
nameParts();
new MutationObserver(nameParts).observe(body, { childList: true, subtree: true });

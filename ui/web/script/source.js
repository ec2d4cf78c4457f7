// The source panel.
let origin = null; // the button that opened the panel: focus goes back to it
let asked = 0;
let zoom = 1;

function point(key) {
  document.querySelectorAll('button[aria-current], li > button[aria-current]').forEach((old) => old.removeAttribute('aria-current'));
  if (key) byKey(key)?.setAttribute('aria-current', 'true');
}

async function open(request, from) {
  hideCard(from);
  const inside = panel.contains(from);
  if (!inside) {
    origin = from.dataset.key;
    point(origin);
    body.classList.toggle('from-talk', !from.closest('#library-pane'));
    toggleDrawer(false);
  }
  const ticket = ++asked;
  const searching = from.matches?.('form.find');
  const shown = await ask('source', request);
  if (ticket !== asked || !shown) return; // a later click was faster
  const scroller = find('#source-pane');
  const before = { top: scroller.scrollTop, height: scroller.scrollHeight };
  panel.innerHTML = shown.html;
  setZoom(zoom);
  body.classList.add('source-open');
  countCitations();
  if (!inside) byKey(origin)?.scrollIntoView({ block: 'nearest' }); // the conversation has become narrower
  if (searching) panel.querySelector('.find input')?.focus({ preventScroll: true });
  else panel.focus({ preventScroll: true });
  const more = from.dataset.more;
  if (more) {
    scroller.scrollTop = before.top + (more === 'above' ? scroller.scrollHeight - before.height : 0);
    return;
  }
  const settle = () => {
    // A mark may begin in hidden markup, such as the sign of a list item.
    const wanted = request.query ? '.found.now' : 'mark, .box';
    const quote = [...panel.querySelectorAll(wanted)].find((mark) => mark.getClientRects().length);
    if (quote) quote.scrollIntoView({ block: 'center', inline: 'nearest' }); else scroller.scrollTop = 0;
  };
  settle();
  requestAnimationFrame(settle);
}

function close() {
  asked += 1;
  body.classList.remove('source-open');
  hideCard();
  point(null);
  const back = (origin && byKey(origin)) || find('#question textarea');
  back?.focus();
  origin = null;
}

function openFrom(target) {
  const { document: name, start, end, page, view, before, after, query, at } = target.dataset;
  const number = (text) => (text === undefined ? null : Number(text));
  return open({ document: name, start: Number(start), end: Number(end), page: number(page), view: view ?? null,
    before: number(before), after: number(after), query: query || null, at: number(at) }, target);
}

function setZoom(wanted) {
  zoom = Math.min(Math.max(wanted, 0.6), 3);
  panel.style.setProperty('--zoom', String(zoom));
}

// Next and previous citation of the conversation, wherever the panel was opened from.
const citations = () => [...document.querySelectorAll('#conversation .marks button.cite')];
function place() {
  const all = citations();
  const at = all.findIndex((marker) => marker.dataset.key === origin);
  if (at >= 0 || !origin) return [all, at];
  const from = byKey(origin); // a row of the list of sources, say: the first marker that leads to the same words
  return [all, all.findIndex((m) => from && m.dataset.document === from.dataset.document && m.dataset.start === from.dataset.start)];
}
function countCitations() {
  const bar = panel.querySelector('.cites');
  const [all, at] = place();
  if (!bar || at < 0) return;
  bar.hidden = false;
  bar.querySelector('span').textContent = `${at + 1} / ${all.length}`;
}
function step(by) {
  const [all, at] = place();
  if (!all.length) return;
  const opened = body.classList.contains('source-open');
  const focus = all.indexOf(document.activeElement);
  const here = opened ? at : focus >= 0 ? focus : by > 0 ? -1 : 0;
  const next = all[(here + by + all.length) % all.length];
  if (opened) openFrom(next);
  else next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

document.addEventListener('submit', (event) => {
  const form = event.target.closest?.('form.find');
  if (!form) return;
  event.preventDefault();
  const words = form.elements.query.value;
  const again = form.dataset.query && form.dataset.query === words;
  const at = again ? form.querySelectorAll('button')[1]?.dataset.at : '0';
  Object.assign(form.dataset, { query: words, at });
  openFrom(form);
}, true);

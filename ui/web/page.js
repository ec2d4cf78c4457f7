// Runs once, inside the component that holds the source panel; `server` calls Python. Words of documents come in as
// HTML that Python has escaped, or go in by textContent; nothing here builds markup of them. Other components may not
// be there yet when this runs: look for them when they are needed, and listen on the document.
const panel = element.querySelector('#source');
const body = document.body;
let origin = null; // the button that opened the panel: focus goes back to it
let asked = 0;

// The card beside a marker: what it cites, before it is opened.
const card = document.createElement('div');
card.id = 'hover-card';
card.setAttribute('role', 'tooltip');
card.append(...['b', 'i', 'q'].map((name) => document.createElement(name)));
body.append(card);

function showCard(marker) {
  const [title, facts, quote] = card.children;
  title.textContent = marker.dataset.title;
  facts.textContent = marker.dataset.facts;
  quote.textContent = marker.dataset.quote;
  card.style.display = 'block';
  marker.setAttribute('aria-describedby', card.id);
  const at = marker.getBoundingClientRect();
  const left = Math.min(at.left - 10, window.innerWidth - card.offsetWidth - 10);
  const below = at.bottom + 8 + card.offsetHeight < window.innerHeight;
  card.style.left = `${Math.max(left, 10)}px`;
  card.style.top = `${below ? at.bottom + 8 : Math.max(at.top - card.offsetHeight - 8, 8)}px`;
}
function hideCard(marker) {
  card.style.display = 'none';
  marker?.removeAttribute?.('aria-describedby');
}

const byKey = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);
function point(key) {
  document.querySelectorAll('[aria-current]').forEach((old) => old.removeAttribute('aria-current'));
  if (key) byKey(key)?.setAttribute('aria-current', 'true');
}

const UNREACHABLE = '<header><h3>Source</h3><button type="button" class="close" data-close aria-label="Close the source">×</button></header><div class="body"><div class="answer problem" role="alert"><p>The server does not answer.</p><p>See whether Dossier is still running, then reload the page.</p></div></div>';

async function open(request, from) {
  hideCard(from);
  const inside = panel.contains(from);
  if (!inside) {
    origin = from.dataset.key;
    point(origin);
    body.classList.remove('library-open');
  }
  const ticket = ++asked;
  let shown;
  try {
    shown = await server.show_source(request);
  } catch (error) {
    shown = undefined;
  }
  if (ticket !== asked) return; // a later click was faster
  const scroller = document.querySelector('#source-pane');
  const before = { top: scroller.scrollTop, height: scroller.scrollHeight };
  panel.innerHTML = shown?.html ?? UNREACHABLE;
  body.classList.add('source-open');
  panel.focus({ preventScroll: true });
  const more = from.dataset.more;
  if (more) {
    scroller.scrollTop = before.top + (more === 'above' ? scroller.scrollHeight - before.height : 0);
    return;
  }
  const settle = () => {
    // A mark may begin in hidden markup, such as the sign of a list item.
    const quote = [...panel.querySelectorAll('mark, .box')].find((mark) => mark.getClientRects().length);
    if (quote) quote.scrollIntoView({ block: 'center' }); else scroller.scrollTop = 0;
  };
  settle();
  requestAnimationFrame(settle);
}

function close() {
  asked += 1;
  body.classList.remove('source-open');
  hideCard();
  point(null);
  const back = (origin && byKey(origin)) || document.querySelector('#question textarea');
  back?.focus();
  origin = null;
}

function toggleDrawer(wanted) {
  const shut = body.classList.toggle('library-open', wanted);
  document.querySelector('#top-bar [data-drawer]')?.setAttribute('aria-expanded', String(shut));
}

document.addEventListener('click', (event) => {
  const target = event.target.closest?.('[data-document], [data-close], [data-drawer]');
  if (!target) {
    if (body.classList.contains('library-open') && !event.target.closest?.('#library-pane')) toggleDrawer(false);
    return;
  }
  event.preventDefault();
  const { document: name, start, end, page, view, before, after } = target.dataset;
  if ('close' in target.dataset) close();
  else if ('drawer' in target.dataset) toggleDrawer();
  else {
    const number = (text) => (text === undefined ? null : Number(text));
    open({ document: name, start: Number(start), end: Number(end), page: number(page), view: view ?? null,
      before: number(before), after: number(after) }, target);
  }
}, true);

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  if (card.style.display === 'block' && !body.classList.contains('source-open')) hideCard();
  else if (body.classList.contains('source-open')) close();
  else if (body.classList.contains('library-open')) toggleDrawer(false);
});
for (const [type, act] of [['mouseover', showCard], ['focusin', showCard], ['mouseout', hideCard], ['focusout', hideCard]]) {
  document.addEventListener(type, (event) => {
    const marker = event.target.closest?.('[data-quote]');
    if (marker) act(marker);
  });
}
document.addEventListener('scroll', ({ target }) => {
  hideCard();
  if (target.id === 'conversation') atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
}, { capture: true, passive: true });

// Gradio's own buttons have no name that a screen reader could read.
function nameButtons() {
  document.querySelector('#question .submit-button')?.setAttribute('aria-label', 'Ask');
  document.querySelector('#question .stop-button')?.setAttribute('aria-label', 'Stop');
}
nameButtons();
new MutationObserver(nameButtons).observe(body, { childList: true, subtree: true });

let turns = 0;
let atEnd = true;

window.dossier = {
  // Keep the newest words in sight, unless the reader has scrolled away from them.
  follow() {
    requestAnimationFrame(() => {
      const talk = document.querySelector('#conversation');
      if (!talk) return;
      const count = talk.querySelectorAll('.turn').length;
      if (count > turns || atEnd) talk.scrollTop = talk.scrollHeight;
      turns = count;
      if (origin) point(origin);
    });
  },
  // A conversation has an address that can be opened again.
  link(id) {
    const address = new URL(window.location.href);
    if (id) address.searchParams.set('c', id); else address.searchParams.delete('c');
    window.history.replaceState(null, '', address);
  },
  startAnew() {
    if (body.classList.contains('source-open')) close();
    toggleDrawer(false);
    document.querySelector('#question textarea')?.focus();
  },
};
window.dossier.follow();

// Runs once, inside the component that holds the source panel; `server` calls Python. Text from documents comes in as
// HTML that Python escaped, or goes in by textContent; nothing here builds markup of it.
const panel = element.querySelector('#source');
let origin = null;

const card = document.createElement('div');
card.id = 'hover-card';
card.setAttribute('role', 'tooltip');
card.append(...['b', 'i', 'q'].map((name) => document.createElement(name)));
document.body.append(card);

function showCard(marker) {
  const [title, facts, quote] = card.children;
  title.textContent = marker.dataset.title;
  facts.textContent = marker.dataset.facts;
  quote.textContent = marker.dataset.quote;
  card.style.display = 'block';
  const place = marker.getBoundingClientRect();
  const left = Math.min(place.left, window.innerWidth - card.offsetWidth - 12);
  const below = place.bottom + 8 + card.offsetHeight < window.innerHeight;
  card.style.left = `${Math.max(left, 8)}px`;
  card.style.top = `${below ? place.bottom + 8 : Math.max(place.top - card.offsetHeight - 8, 8)}px`;
}
function hideCard() { card.style.display = 'none'; }

async function open(asked, from) {
  hideCard();
  if (from && !panel.contains(from)) {
    document.querySelectorAll('[aria-current="true"]').forEach((old) => old.removeAttribute('aria-current'));
    from.setAttribute('aria-current', 'true');
    origin = from;
  }
  let shown;
  try {
    shown = await server.show_source(asked);
  } catch (error) {
    shown = undefined;
  }
  panel.innerHTML = shown?.html ?? '<header><button type="button" class="close" data-close aria-label="Close">×</button><h3>The source cannot be shown</h3></header><p>The server does not answer. Is it still running? Reload the page to try again.</p>';
  document.body.classList.add('source-open');
  panel.focus({ preventScroll: true });
  const quote = panel.querySelector('mark') ?? panel.querySelector('.box');
  const settle = () => (quote ? quote.scrollIntoView({ block: 'center' }) : (panel.parentElement.scrollTop = 0));
  requestAnimationFrame(settle);
  panel.querySelector('img')?.addEventListener('load', settle, { once: true });
}
function close() {
  document.body.classList.remove('source-open');
  hideCard();
  origin?.removeAttribute('aria-current');
  if (origin?.isConnected) origin.focus();
}

document.addEventListener('click', (event) => {
  const target = event.target.closest?.('[data-document], [data-close]');
  if (!target) return;
  event.preventDefault();
  if ('close' in target.dataset) return close();
  const { document: name, start, end, turn } = target.dataset;
  open({ document: name, start: Number(start), end: Number(end), page: turn ? Number(turn) : null }, target);
}, true);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && document.body.classList.contains('source-open')) close();
});
for (const [type, act] of [['mouseover', showCard], ['focusin', showCard], ['mouseout', hideCard], ['focusout', hideCard]]) {
  document.addEventListener(type, (event) => {
    const marker = event.target.closest?.('button.cite');
    if (marker) act(marker);
  });
}

window.dossier = {
  // Keep the newest words in sight.
  follow() {
    const pane = document.querySelector('#conversation');
    requestAnimationFrame(() => { if (pane) pane.scrollTop = pane.scrollHeight; });
  },
  // A conversation has an address that can be opened again.
  link(id) {
    const address = new URL(window.location.href);
    if (id) address.searchParams.set('c', id); else address.searchParams.delete('c');
    window.history.replaceState(null, '', address);
  },
};

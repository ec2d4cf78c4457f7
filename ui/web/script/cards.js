// The card beside a marker: what it cites, before it is opened.
const card = document.createElement('div');
card.id = 'hover-card';
card.setAttribute('role', 'tooltip');
card.append(...['b', 'i', 'q'].map((name) => document.createElement(name)));
[...card.children].forEach((part) => { part.dir = 'auto'; });
body.append(card);
let cardFor = null;

function showCard(marker) {
  cardFor = marker;
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
for (const [name, does] of [['mouseover', showCard], ['focusin', showCard], ['mouseout', hideCard], ['focusout', hideCard]]) {
  document.addEventListener(name, (event) => {
    const marker = event.target.closest?.('[data-quote]');
    if (marker) does(marker);
  });
}
// Only the reader's own scrolling is a wish to look elsewhere; what is drawn anew moves the conversation as well.
let moved = -Infinity;
const SCROLLING = ['PageUp', 'PageDown', 'Home', 'End', 'ArrowUp', 'ArrowDown', ' '];
for (const name of ['wheel', 'touchmove', 'pointerdown', 'keydown', 'focusin']) {
  document.addEventListener(name, ({ target, key, timeStamp }) => {
    const talk = target.closest?.('#conversation');
    if (talk && (name !== 'pointerdown' || target === talk) && (name !== 'keydown' || SCROLLING.includes(key))) moved = timeStamp;
  }, { capture: true, passive: true });
}
document.addEventListener('scroll', ({ target, timeStamp }) => {
  hideCard();
  if (target.id !== 'conversation' || timeStamp - moved > 1500) return;
  atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
}, { capture: true, passive: true });

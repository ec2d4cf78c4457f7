// The conversations, the documents that are asked, and the conversation that is open.
let turns = 0;
let atEnd = true;
const chosen = new Set();

async function refreshTalks() {
  const list = find('#talks-list');
  if (!list || find('#talks').hidden) return;
  const reply = await ask('talks', { query: find('#talks-search').value });
  if (reply) list.innerHTML = reply.html;
}
const refreshDocuments = () => send('refresh', {});

function drawChosen() {
  const boxes = [...document.querySelectorAll('[data-choose]')];
  boxes.forEach((box) => { box.checked = chosen.has(box.dataset.choose); });
  const note = find('#chosen-note');
  if (!note) return;
  note.hidden = chosen.size === 0;
  const count = find('#library .count')?.textContent ?? '';
  note.querySelector('span').textContent = TEXTS.chosen.replace('{n}', chosen.size).replace('{count}', count);
  type('#chosen textarea, #chosen input', [...chosen].join(','));
}
document.addEventListener('change', (event) => {
  const name = event.target.dataset?.choose;
  if (!name) return;
  if (event.target.checked) chosen.add(name); else chosen.delete(name);
  drawChosen();
});
document.addEventListener('input', (event) => { if (event.target.id === 'talks-search') refreshTalks(); });

// Questions to go on with are looked for after the answer is there, without making anybody wait.
let wanted = '';
async function suggest() {
  const slot = find('#next');
  const asked = document.querySelectorAll('.turn h2');
  const key = `${conversationId()}.${asked.length}.${asked[asked.length - 1]?.textContent}`;
  if (!slot || slot.childElementCount || wanted === key || find('#question .stop-button')) return;
  wanted = key;
  const reply = await ask('suggest');
  const now = find('#next');
  if (reply?.html && now && !now.childElementCount && wanted === key) {
    now.innerHTML = reply.html;
    if (atEnd) toEnd();
  } else if (!reply?.html) setTimeout(() => { if (wanted === key) wanted = ''; }, 6000);
}
setInterval(() => { if (!document.hidden) suggest(); }, 2500);

// To the end of the conversation, but never so far that the last question is out of sight.
function toEnd() {
  const talk = find('#conversation');
  const last = [...document.querySelectorAll('.turn')].at(-1);
  if (!talk) return;
  const top = last ? last.getBoundingClientRect().top - talk.getBoundingClientRect().top + talk.scrollTop - 14 : Infinity;
  talk.scrollTop = Math.min(talk.scrollHeight, top);
  atEnd = true;
}

let unfolded = new Set();
document.addEventListener('toggle', ({ target }) => {
  if (!target.dataset?.why) return;
  if (!target.open) { unfolded.delete(target.dataset.why); return; }
  // One that was open and is only drawn anew must not pull the conversation back to it.
  if (!unfolded.has(target.dataset.why)) target.scrollIntoView({ block: 'nearest' });
  unfolded.add(target.dataset.why);
}, true);

// Keep the newest words in sight, unless the reader has scrolled away from them.
function keepInSight() {
  const talk = find('#conversation');
  if (!talk) return;
  if (!cardFor?.isConnected) hideCard();
  talk.querySelectorAll('details.why').forEach((why) => { if (unfolded.has(why.dataset.why)) why.open = true; });
  const count = talk.querySelectorAll('.turn').length;
  if (count > turns) moved = -Infinity; // who asks wants to see the answer, whatever was scrolled before
  if (count > turns || atEnd) toEnd();
  turns = count;
  body.classList.toggle('talking', count > 0);
  if (origin) point(origin);
}

window.dossier = {
  follow() {
    requestAnimationFrame(() => {
      keepInSight();
      if (find('#conversation .kept')) refreshTalks();
    });
  },
  // A conversation has an address that can be opened again.
  link(id) {
    const address = new URL(window.location.href);
    address.searchParams.delete('s');
    if (id) address.searchParams.set('c', id); else address.searchParams.delete('c');
    window.history.replaceState(null, '', address);
    refreshTalks();
  },
  startAnew() {
    if (body.classList.contains('source-open')) close();
    toggleDrawer(false);
    unfolded = new Set();
    find('#question textarea')?.focus();
  },
};
window.dossier.follow();
// Gradio tells of a new value before, now and then long before, the page holds it.
if (find('#conversation')) new MutationObserver(() => requestAnimationFrame(keepInSight)).observe(find('#conversation'), { childList: true, subtree: true });
// The list of documents is drawn anew by Python: what was ticked stays ticked.
new MutationObserver(() => {
  const boxes = [...document.querySelectorAll('[data-choose]')];
  if (boxes.some((box) => box.checked !== chosen.has(box.dataset.choose))) drawChosen();
}).observe(body, { childList: true, subtree: true });

// Whether the server is still there. When it ends in the middle of an answer the page says so, and when it is back the
// conversation is shown as it was kept; what was being typed stays.
const banner = document.createElement('div');
banner.id = 'banner';
banner.setAttribute('role', 'alert');
banner.hidden = true;
body.append(banner);
const TYPED = 'dossier.typed';
let boot = null;
let missed = 0;

async function look() {
  let now = null;
  try {
    const reply = await fetch('/alive', { cache: 'no-store' });
    if (reply.ok) now = await reply.text();
    else if (reply.status === 401) { window.location.reload(); return; }
  } catch (error) { /* it is not there */ }
  if (now === null) {
    missed += 1;
    if (missed >= 2) {
      banner.textContent = TEXTS.gone;
      banner.hidden = false;
    }
  } else if (boot !== null && now !== boot) {
    try { sessionStorage.setItem(TYPED, find('#question textarea')?.value ?? ''); } catch (error) { /* not allowed */ }
    window.location.reload();
    return;
  } else {
    boot = now;
    missed = 0;
    banner.hidden = true;
  }
  setTimeout(look, missed ? 700 : 2500);
}
look();
try {
  const typed = sessionStorage.getItem(TYPED);
  sessionStorage.removeItem(TYPED);
  if (typed) setTimeout(() => type('#question textarea', typed), 300);
} catch (error) { /* not allowed */ }

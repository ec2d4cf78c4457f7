// The keyboard; docs/page.md lists it, and so does the dialog that "?" opens.
const KEYS = {
  '/': () => find('#question textarea')?.focus(),
  n: () => find('#new')?.click(),
  j: () => step(1),
  k: () => step(-1),
  f: () => panel.querySelector('.find input')?.focus(),
  '+': () => setZoom(zoom * 1.2),
  '-': () => setZoom(zoom / 1.2),
  '?': () => openDialog('help', {}, document.activeElement),
};
document.addEventListener('keydown', (event) => {
  if (dialog) return; // it has keys of its own
  if (event.key === 'Escape') {
    if (card.style.display === 'block' && !body.classList.contains('source-open')) hideCard();
    else if (body.classList.contains('source-open')) close();
    else if (body.classList.contains('library-open')) toggleDrawer(false);
    return;
  }
  const tab = event.target.closest?.('[role="tab"]');
  if (tab && ['ArrowLeft', 'ArrowRight'].includes(event.key)) {
    const other = [...document.querySelectorAll('#tabs [role="tab"]')].find((t) => t !== tab);
    showTab(other.dataset.tab);
    other.focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input, textarea, select, [role="separator"]')) return;
  if (['ArrowLeft', 'ArrowRight'].includes(event.key) && body.classList.contains('source-open')) {
    const [back, on] = panel.querySelectorAll('.turn-page button');
    (event.key === 'ArrowLeft' ? back : on)?.click();
    return;
  }
  const act = KEYS[event.key];
  if (!act || (event.key === 'f' && !body.classList.contains('source-open'))) return;
  event.preventDefault();
  act();
});

// What buttons do, by their data-act.
let dialog = null;
let dialogFrom = null;
async function openDialog(name, data = {}, from = null) {
  const reply = await ask('dialog', { ...data, name });
  if (!reply) return;
  dialog?.remove();
  dialogFrom = from;
  dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  dialog.innerHTML = reply.html;
  dialog.addEventListener('close', () => { dialog?.remove(); dialog = null; (dialogFrom?.isConnected ? dialogFrom : find('#question textarea'))?.focus(); });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  (find('#house') ?? body).append(dialog);
  dialog.showModal();
  dialog.querySelector('textarea, select, input:not([type=hidden]):not([type=checkbox])')?.focus();
}

document.addEventListener('submit', async (event) => {
  const form = event.target.closest?.('form[data-form]');
  if (!form) return;
  event.preventDefault();
  const act = form.dataset.form;
  const fields = new FormData(form);
  const data = Object.fromEntries(fields);
  data.evidence = fields.getAll('evidence');
  if (act === 'edit') {
    dialog.close();
    send('again', { question: data.question, standalone: data.standalone, instead: Number(data.turn) });
    return;
  }
  if (!act) { dialog.close(); return; }
  if (await ask(act, data)) dialog?.close();
}, true);

const ACTS = {
  say: ({ question }) => send('again', { question }),
  retry: ({ question, turn }) => send('again', { question, instead: Number(turn) }),
  resume: ({ id }) => { if (body.classList.contains('source-open')) close(); toggleDrawer(false); unfolded = new Set(); send('resume', { id }); },
  delete: async ({ id }) => { if (await ask('delete', { id }) && id === conversationId()) find('#new')?.click(); },
  'ask-rename': ({ id }, from) => openDialog('rename', { id }, from),
  'ask-edit': ({ turn }, from) => openDialog('edit', { turn }, from),
  'ask-test': ({ turn }, from) => openDialog('test', { turn }, from),
  good: ({ turn }, from) => openDialog('rate', { turn, rating: 1 }, from),
  bad: ({ turn }, from) => openDialog('rate', { turn, rating: -1 }, from),
  settings: (_, from) => openDialog('settings', {}, from),
  help: (_, from) => openDialog('help', {}, from),
  'close-dialog': () => dialog?.close(),
  'try-settings': async () => {
    const slot = find('#tested');
    slot.closest('form').querySelectorAll('.refused').forEach((old) => old.remove());
    slot.textContent = TEXTS.testing;
    const reply = await ask('try-settings', Object.fromEntries(new FormData(slot.closest('form'))));
    if (!slot.isConnected) return;
    slot.innerHTML = reply?.html ?? '';
    slot.scrollIntoView({ block: 'nearest' });
  },
  copy: async ({ turn }) => { const reply = await ask('copy', { turn }); if (reply) copy(reply.text, TEXTS.copied); },
  'copy-markdown': async ({ turn }) => {
    const reply = await ask('copy', { turn, form: 'markdown' });
    if (reply) copy(reply.text, TEXTS.copied);
  },
  share: async () => {
    const reply = conversationId() ? await ask('share') : { shared: null };
    if (!reply) return;
    if (!reply.shared) toast(TEXTS.nothing_to_share);
    else copy(`${window.location.origin}/?s=${reply.shared}`, TEXTS.link);
  },
  export: () => {
    if (!conversationId()) { toast(TEXTS.nothing_to_share); return; }
    const link = document.createElement('a');
    link.href = `/export/${conversationId()}.md`;
    link.download = '';
    body.append(link);
    link.click();
    link.remove();
  },
  remove: ({ document: name }) => { chosen.delete(name); ask('remove', { document: name }); },
  tag: ({ tag }) => type('#filter textarea, #filter input', /[\s",]/.test(tag) ? `tag="${tag.replaceAll('"', '""')}"` : `tag=${tag}`),
  samples: (_, from) => { from.disabled = true; ask('samples'); },
  upload: () => find('#upload-files').click(),
  'clear-outcomes': () => { find('#outcomes').replaceChildren(); find('#upload').focus(); },
  'choose-all': () => { chosen.clear(); drawChosen(); },
  larger: () => setZoom(zoom * 1.2),
  smaller: () => setZoom(zoom / 1.2),
  'cite-next': () => step(1),
  'cite-previous': () => step(-1),
};

document.addEventListener('click', (event) => {
  const target = event.target.closest?.('[data-act], [data-tab], button[data-document], [data-close], [data-drawer]');
  if (!target) {
    if (body.classList.contains('library-open') && !event.target.closest?.('#library-pane, #toasts, dialog')) toggleDrawer(false);
    return;
  }
  if (target.disabled) return;
  event.preventDefault();
  if ('close' in target.dataset) close();
  else if ('drawer' in target.dataset) toggleDrawer();
  else if ('tab' in target.dataset) showTab(target.dataset.tab);
  else if ('act' in target.dataset) ACTS[target.dataset.act]?.(target.dataset, target);
  else openFrom(target);
}, true);

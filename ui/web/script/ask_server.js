// Runs once, inside the component that holds the source panel; `server` calls Python. Words of documents come in as
// HTML that Python has escaped, or go in by textContent; nothing here builds markup of them. Other components may not
// be there yet when this runs: look for them when they are needed, and listen on the document.
const panel = element.querySelector('#source');
const body = document.body;
const find = (selector) => document.querySelector(selector);
const byKey = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);
const conversationId = () => find('#conversation-id textarea, #conversation-id input')?.value ?? '';
const send = (name, data) => window.dossierSend?.(name, data);

// Ask Python for something; what went wrong is told, and `undefined` given.
async function ask(act, data = {}) {
  let reply;
  try {
    reply = await server.act({ id: conversationId(), ...data, act });
  } catch (error) {
    reply = undefined;
  }
  if (!reply) {
    toast(TEXTS.no_server, null, TEXTS['no_server.remedy']);
    return undefined;
  }
  if (reply.problem) {
    toast(reply.problem[0], null, reply.problem[1]);
    return undefined;
  }
  if (reply.toast) toast(reply.toast, reply.undo);
  if (reply.changed === 'talks') refreshTalks();
  if (reply.changed === 'documents') refreshDocuments();
  return reply;
}

// A line at the bottom that says what was done; with `undo` it can be undone while it stands there.
const toasts = document.createElement('div');
toasts.id = 'toasts';
toasts.setAttribute('role', 'status');
body.append(toasts);
function toast(text, undo = null, remedy = '') {
  const form = remedy ? find('dialog[open] form') : null; // what went wrong with a form is said in it
  form?.querySelectorAll('.refused').forEach((old) => old.remove());
  const line = document.createElement('div');
  line.className = form ? 'refused' : 'toast';
  const words = document.createElement('span');
  words.textContent = text;
  line.append(words);
  if (remedy) {
    const small = document.createElement('small');
    small.textContent = remedy;
    words.append(small);
  }
  if (undo) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = TEXTS.undo;
    button.addEventListener('click', () => { line.remove(); ask(undo.act, undo); });
    line.append(button);
  }
  if (form) {
    line.setAttribute('role', 'alert');
    form.querySelector('.buttons').before(line);
    line.scrollIntoView({ block: 'nearest' });
    return;
  }
  toasts.querySelectorAll('.toast:not(:has(button, small))').forEach((old) => old.remove());
  toasts.append(line);
  setTimeout(() => line.remove(), undo || remedy ? 9500 : 4000);
}

// Put a text into one of Gradio's own boxes, as if it had been typed.
function type(selector, text) {
  const box = find(selector);
  if (!box) return;
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch (error) {
    // Over plain http from another machine browsers give no clipboard; the old way still works there.
    const box = document.createElement('textarea');
    box.value = text;
    (find('dialog[open]') ?? body).append(box);
    box.select();
    const copied = document.execCommand('copy');
    box.remove();
    toast(copied ? done : TEXTS.no_copy);
  }
}

// Files, chosen or dropped: one after the other, each with its own line that says how far it is.
const waiting = [];
let uploading = false;

function line(name) {
  const row = document.createElement('li');
  row.className = 'reading';
  const sign = document.createElement('span');
  sign.className = 'sign';
  sign.textContent = '…';
  const words = document.createElement('span');
  const title = document.createElement('b');
  title.dir = 'auto';
  title.textContent = name;
  const state = document.createElement('span');
  state.className = 'state';
  const bar = document.createElement('progress');
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute('aria-label', name);
  words.append(title, ' ', state, bar);
  row.append(sign, words);
  return row;
}
function outcomes() {
  const slot = find('#outcomes');
  let list = slot.querySelector('ul');
  if (!list) {
    list = document.createElement('ul');
    list.className = 'outcomes';
    slot.append(list);
  }
  return list;
}
function upload(file, row) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const state = row.querySelector('.state');
    const bar = row.querySelector('progress');
    const failed = (text) => {
      row.className = 'failed';
      row.querySelector('.sign').textContent = '!';
      bar.remove();
      state.textContent = text;
      resolve();
    };
    state.textContent = TEXTS['upload.sending'];
    request.upload.addEventListener('progress', (event) => {
      if (!event.lengthComputable) return;
      bar.value = event.loaded / event.total;
      if (event.loaded === event.total) { state.textContent = TEXTS['upload.reading']; bar.removeAttribute('value'); }
    });
    request.addEventListener('load', () => {
      if (request.status !== 200) { failed(request.status >= 500 ? TEXTS.upload_lost : request.responseText); return; }
      const drawn = document.createElement('div');
      drawn.innerHTML = request.responseText;
      row.replaceWith(drawn.querySelector('li'));
      resolve();
    });
    request.addEventListener('error', () => failed(TEXTS.upload_lost));
    request.open('PUT', `/upload?name=${encodeURIComponent(file.name)}`);
    request.send(file);
  });
}
async function uploadAll(files) {
  if (!uploading) find('#outcomes').replaceChildren();
  const list = outcomes();
  for (const file of files) {
    const row = line(file.name);
    row.querySelector('.state').textContent = TEXTS['upload.wait'];
    list.append(row);
    waiting.push([file, row]);
  }
  if (uploading) return;
  uploading = true;
  while (waiting.length) {
    const [file, row] = waiting.shift();
    row.scrollIntoView({ block: 'nearest' });
    await upload(file, row);
    refreshDocuments();
  }
  uploading = false;
  const clear = document.createElement('button');
  clear.type = 'button';
  clear.className = 'small';
  clear.dataset.act = 'clear-outcomes';
  clear.textContent = TEXTS['upload.clear'];
  find('#outcomes').append(clear);
  clear.scrollIntoView({ block: 'nearest' });
}
document.addEventListener('change', (event) => {
  if (event.target.id !== 'upload-files') return;
  const files = [...event.target.files];
  event.target.value = '';
  if (files.length) uploadAll(files);
});
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
document.addEventListener('dragover', (event) => {
  if (!carriesFiles(event) || !find('#drop')) return;
  event.preventDefault();
  find('#drop').hidden = false;
});
document.addEventListener('dragleave', (event) => { if (!event.relatedTarget && find('#drop')) find('#drop').hidden = true; });
document.addEventListener('drop', (event) => {
  if (!carriesFiles(event) || !find('#drop')) return;
  event.preventDefault();
  find('#drop').hidden = true;
  const files = [...event.dataTransfer.files];
  if (files.length) { showTab('documents'); uploadAll(files); }
}, true);

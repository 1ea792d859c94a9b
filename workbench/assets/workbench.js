// What runs in the page besides gradio: the address, sorting of tables, downloads. No model text passes through here
// as markup.
(() => {
  const parameter = (name) => new URL(window.location.href).searchParams.get(name);

  const written = (name, value) => {
    const url = new URL(window.location.href);
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
    return url;
  };

  // Writes in place; `visit` makes a place that the back button returns to.
  const address = (name, value) => window.history.replaceState(window.history.state, '', written(name, value));
  const visit = (name, value) => {
    if ((parameter(name) ?? '') !== (value ?? '')) window.history.pushState(null, '', written(name, value));
  };

  // Whether the open step does not show yet what was kept.
  const filling = () => {
    const name = parameter('step') ?? 'choose';
    return document.getElementById(`step-${name}`)?.getAttribute('aria-busy') !== 'false';
  };

  // While the page opens, gradio selects its first tab before the one that the address asks for.
  const asked = parameter('step');
  let opened = !asked;
  const touched = () => { opened = true; };
  for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, touched, {once: true, capture: true});
  const step = (name) => {
    opened ||= name === asked;
    if (opened) (parameter('step') ? visit : address)('step', name);
    busy(name, true);
  };

  // Back, forward and our own links: another step is opened, or the open one is read again.
  const follow = () => {
    const name = parameter('step') ?? 'choose';
    const tab = document.getElementById(`step-${name}-button`);
    if (tab?.getAttribute('aria-selected') === 'true') document.getElementById(`reopen-${name}`)?.click();
    else tab?.click();
  };
  window.addEventListener('popstate', follow);
  const open = (href) => {
    window.history.pushState(null, '', href);
    follow();
  };

  // A step that was opened is busy until its controls show what was kept: what is typed before would be overwritten.
  const busy = (name, value) => document.getElementById(`step-${name}`)?.setAttribute('aria-busy', String(value));
  const settled = (name) => busy(name, false);

  const blob = (mime, text) => new Blob([text], {type: `${mime};charset=utf-8`});

  const save = (name, content) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const download = (name, mime, text) => {
    if (text) save(name, blob(mime, text));
  };

  // Files that are no text come as Base64.
  const downloadBase64 = (name, mime, text) => {
    if (text) save(name, new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], {type: mime}));
  };

  const show = (mime, text) => {
    if (text) window.open(URL.createObjectURL(blob(mime, text)), '_blank', 'noopener');
  };

  const key = (row, column) => {
    const cell = row.cells[column];
    const order = cell.dataset.order || '';
    return order === '' ? null : Number.isNaN(Number(order)) ? order : Number(order);
  };

  const compare = (a, b, direction) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const less = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return less * direction;
  };

  const sort = (button) => {
    const head = button.closest('th');
    const ascending = head.getAttribute('aria-sort') !== 'ascending';
    for (const other of head.parentElement.children) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const body = head.closest('table').tBodies[0];
    const rows = [...body.rows].map((row) => [key(row, head.cellIndex), row]);
    rows.sort(([a], [b]) => compare(a, b, ascending ? 1 : -1));
    body.append(...rows.map(([, row]) => row));
  };

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest('button.sort');
    if (button) sort(button);
    const picked = target?.closest('[data-action="open"]')?.closest('tr');
    if (picked) {
      for (const row of picked.parentElement.rows) row.removeAttribute('aria-current');
      picked.setAttribute('aria-current', 'true');
    }
  });

  // Before the click is handled: what it starts reads the address.
  document.addEventListener('click', (event) => {
    const place = event.target instanceof Element ? event.target.closest('[data-address]') : null;
    if (place) visit(place.dataset.address, place.dataset.value);
  }, {capture: true});

  // Gradio writes the title of a group of boxes above it without tying the two together.
  const nameGroups = () => {
    for (const group of document.querySelectorAll('fieldset:not([aria-label])')) {
      const words = [...(group.querySelector('[data-testid="block-info"]')?.childNodes ?? [])];
      const title = words.map((node) => (node.nodeType === Node.TEXT_NODE ? node.data : '')).join('').trim();
      if (title) group.setAttribute('aria-label', title);
    }
  };
  let planned = 0;
  new MutationObserver(() => {
    planned ||= setTimeout(() => {
      planned = 0;
      nameGroups();
    }, 100);
  }).observe(document.documentElement, {childList: true, subtree: true});

  window.workbench = {address, visit, open, filling, step, settled, download, downloadBase64, show};
})();

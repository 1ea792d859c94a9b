// What runs in the page besides gradio: the address, sorting of tables, downloads. No model text passes through here
// as markup.
(() => {
  const address = (name, value) => {
    const url = new URL(window.location.href);
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
    window.history.replaceState(window.history.state, '', url);
  };

  // While the page opens, gradio selects its first tab before the one that the address asks for.
  const asked = new URL(window.location.href).searchParams.get('step');
  let opened = !asked;
  const touched = () => { opened = true; };
  for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, touched, {once: true, capture: true});
  const step = (name) => {
    opened ||= name === asked;
    if (opened) address('step', name);
    busy(name, true);
  };

  // A step that was opened is busy until its controls show what was kept: what is typed before would be overwritten.
  const busy = (name, value) => document.getElementById(`step-${name}`)?.setAttribute('aria-busy', String(value));
  const settled = (name) => busy(name, false);

  const blob = (mime, text) => URL.createObjectURL(new Blob([text], {type: `${mime};charset=utf-8`}));

  const download = (name, mime, text) => {
    if (!text) return;
    const link = document.createElement('a');
    link.href = blob(mime, text);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const show = (mime, text) => {
    if (text) window.open(blob(mime, text), '_blank', 'noopener');
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

  window.workbench = {address, step, settled, download, show};
})();

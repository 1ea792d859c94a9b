// Step Test set: which part is shown, what is pressed and typed in its panels, its keys, and its part of the address.
// Text of examples is only ever read from and written to fields; none of it becomes markup here.
(() => {
  const step = () => document.getElementById('step-test-set');
  const view = () => document.querySelector('#ts-examples [data-view]')?.dataset.view ?? '';
  const rule = () => document.querySelector('#ts-overview [data-problem]')?.dataset.problem ?? '';
  const isOpen = () => new URL(window.location.href).searchParams.get('step') === 'test-set';
  const part = () => step()?.dataset.part ?? 'overview';

  const showPart = (name) => {
    const frame = step();
    if (frame && frame.dataset.part !== name) frame.dataset.part = name;
    for (const button of document.querySelectorAll('.ts-part-button')) {
      const pressed = String(button.dataset.part === name);
      // Written only where it changes: that is watched below.
      if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
    }
  };

  // Listens to one panel. Every click says what the page looks at, so the server keeps nothing about pages.
  const listen = (element, trigger) => {
    const send = (action, value, text) => {
      element.setAttribute('aria-busy', 'true');
      trigger('click', {action, value: value ?? '', text: text ?? '', view: view(), part: part(), rule: rule()});
    };
    element.addEventListener('click', (event) => {
      const source = event.target.closest('[data-action], [data-part]');
      if (!source || source.disabled) return;
      if (source.dataset.part) {
        showPart(source.dataset.part);
        send('part', source.dataset.part);
        return;
      }
      const from = source.dataset.from ? document.getElementById(source.dataset.from) : null;
      if (from) from.dataset.sent = from.value;
      send(source.dataset.action, source.dataset.value, from ? from.value : source.dataset.text);
    });
    element.addEventListener('change', (event) => {
      const source = event.target.closest('[data-edit]');
      // A button that takes the field's text along has sent it already.
      if (!source || source.dataset.sent === source.value) return;
      send(source.dataset.edit, source.dataset.value, source.type === 'checkbox' ? String(source.checked) : source.value);
    });
    element.addEventListener('keydown', (event) => {
      const source = event.target;
      if (event.key !== 'Enter') return;
      if (source.dataset.enter && source.value.trim()) send(source.dataset.enter, source.dataset.value, source.value);
      if (source.dataset.send && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        source.dataset.sent = source.value;
        send(source.dataset.send, source.dataset.value, source.value);
      }
    });
    // The button that takes a field's text along is pressed before the field reports its change.
    element.addEventListener('pointerdown', (event) => {
      const source = event.target.closest('[data-from]');
      const from = source ? document.getElementById(source.dataset.from) : null;
      if (from) from.dataset.sent = from.value;
    });
  };

  // Keys 1 to 9 give the answer, 0 takes it away, N, J and K go on; not while something is typed or a dialog is open,
  // and not where the switch in the help turned keys off.
  let waitsOn = null; // What the page showed when the last key was pressed, until it is drawn again.
  const typing = (target) => target instanceof Element && target.closest('input, textarea, select, [contenteditable]');
  const off = () => localStorage.getItem('shortcuts') === 'off' || document.querySelector('dialog[open]') !== null;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !isOpen() || part() !== 'examples' || typing(event.target)) return;
    if (off()) return;
    const keyed = (key) => document.querySelector(`#ts-examples [data-key="${CSS.escape(key)}"]`);
    const button = keyed(event.key.toLowerCase());
    // A number beyond the last answer is a slip, not the wish for another step.
    if (!button && !(keyed('1') && /^[0-9]$/.test(event.key))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!button) return;
    // A key that is pressed while the last answer travels would be given to the same example.
    if (waitsOn !== null && waitsOn === view()) return;
    const asked = waitsOn = view();
    setTimeout(() => { if (waitsOn === asked) waitsOn = null; }, 2000);
    button.click();
  }, true);

  const addressed = () => {
    if (!isOpen()) return;
    const head = document.querySelector('#ts-head [data-address]');
    if (head) {
      const [name, version] = head.dataset.address.split(' ');
      window.workbench.address('set', name ?? '');
      window.workbench.address('version', version ?? '');
      window.workbench.address('part', part() === 'overview' ? '' : part());
    }
    window.workbench.address('problem', rule());
    let shown = {};
    try { shown = JSON.parse(view() || '{}'); } catch { /* another version's page */ }
    window.workbench.address('show', shown.show && shown.show !== 'all' ? shown.show : '');
    window.workbench.address('search', shown.search ?? '');
    window.workbench.address('page', shown.page ? String(shown.page + 1) : '');
    window.workbench.address('row', part() === 'examples' ? shown.selected ?? '' : '');
  };

  // What the server drew decides what is shown: the part that is pressed there, the example that is selected.
  let planned = 0;
  let focused = '';
  const drawn = () => {
    planned = 0;
    waitsOn = null;
    const pressed = document.querySelector('#ts-head .ts-part-button[aria-pressed="true"]');
    if (pressed) showPart(pressed.dataset.part);
    const selected = view();
    if (part() === 'examples' && selected !== focused && document.activeElement === document.body) {
      document.querySelector('#ts-examples .ts-focus')?.focus({preventScroll: true});
    }
    focused = selected;
    addressed();
  };
  new MutationObserver((changes) => {
    const ours = changes.some((change) => change.target instanceof Element
      && change.target.closest('#ts-head, #ts-overview, #ts-examples, #step-test-set'));
    if (ours) planned ||= setTimeout(drawn, 0);
  }).observe(document.documentElement, {childList: true, subtree: true, attributeFilter: ['aria-pressed']});

  window.workbench.testSet = listen;
})();

// What a person edited, among all that gradio reports as edits (steps/wiring.py: edited).
(() => {
  // gradio's drop-down list tells of an edit twice when an option is chosen, and also when it is left without a choice.
  const MOMENT_MS = 500;
  const chosenIn = new WeakSet();
  let left = -Infinity, touched = -Infinity;
  document.addEventListener('pointerdown', ({target}) => {
    if (!target.matches?.('[role="option"]')) return;
    const list = document.querySelector(`[aria-controls="${target.closest('[role="listbox"]')?.id}"]`);
    if (list) chosenIn.add(list);
  }, true);
  document.addEventListener('keydown', (event) => {
    const {key, target, isComposing} = event;
    if (!target.matches?.('[role="combobox"]')) return;
    if (key === 'Enter' && !isComposing && target.hasAttribute('aria-activedescendant')) chosenIn.add(target);
    if (key === 'Tab') event.stopPropagation(); // gradio would open the list again once it is left
  }, true);
  document.addEventListener('blur', ({target}) => {
    if (!target.matches?.('[role="combobox"]') || chosenIn.delete(target)) return;
    if (!target.closest('.own-words')) left = performance.now(); // there what was typed counts
  }, true);
  const touch = () => { touched = performance.now(); };
  for (const kind of ['input', 'change']) document.addEventListener(kind, touch, true);
  document.addEventListener('click', ({target}) => { if (target.closest?.('.token, .token-remove')) touch(); }, true);
  const justLeft = () => left >= touched && performance.now() - left < MOMENT_MS;

  // Whether what `event` has just reported came with the same values a moment ago.
  const reported = new Map();
  const again = (event, values) => {
    const said = JSON.stringify(values), now = performance.now(), last = reported.get(event);
    reported.set(event, {said, now});
    return last?.said === said && now - last.now < MOMENT_MS;
  };

  // The values of an edit that a person made. Anything else ends here: gradio goes no further where a script fails.
  window.workbench.edit = (event, values) => {
    if (window.workbench.filling() || justLeft() || again(event, values)) throw new Error('Nobody edited anything.');
    return values;
  };
})();

// Head-to-head: the address of what is shown, and what was unfolded there. Its keys are in steps/shell/shortcuts.py.
(() => {
  const shown = () => {
    const visible = (selector) => [...document.querySelectorAll(selector)].find((each) => each.offsetParent !== null);
    const round = document.querySelector('#h2h-answers [data-round]')?.dataset.round;
    const list = visible('#h2h-list [data-batch]');
    window.workbench.address('round', list ? '' : round);
    window.workbench.address('batch', list?.dataset.batch);
    window.workbench.address('pair', list?.dataset.of);
  };

  // While answers are written the panel is drawn anew, and gradio takes away what its HTML does not have, such as that
  // something is unfolded: it is unfolded again before it is painted. Only a click (or its key) tells what a person wants.
  const opened = new Set();
  const place = (details) => {
    const round = details.closest('#h2h-answers [data-round]');
    if (!round) return null;
    const card = [...round.querySelectorAll('article')].indexOf(details.closest('article'));
    return `${round.dataset.round} ${card} ${details.className}`;
  };
  document.addEventListener('click', ({target}) => {
    const details = target instanceof Element ? target.closest('summary')?.parentElement : null;
    const key = details && place(details);
    if (key) opened[details.open ? 'delete' : 'add'](key);
  }, {capture: true});
  new MutationObserver(() => {
    if (!opened.size) return;
    for (const details of document.querySelectorAll('#h2h-answers details:not([open])')) {
      if (opened.has(place(details))) details.open = true;
    }
  }).observe(document.documentElement, {childList: true, subtree: true, attributeFilter: ['open']});

  window.workbench.headToHead = {shown};
})();

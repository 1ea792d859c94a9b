// The step Compare: its address and its way from part to part. Its keys are in steps/shell/shortcuts.py.
(() => {
  const remember = (place) => {
    for (const [name, value] of Object.entries(JSON.parse(place || '{}'))) window.workbench.address(name, value);
  };

  const toOpened = () => {
    setTimeout(() => document.querySelector('#example-opened .opened')?.scrollIntoView({block: 'nearest'}), 50);
  };

  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('[data-scroll]') : null;
    if (link) document.getElementById(link.dataset.scroll)?.scrollIntoView({block: 'start'});
  });

  window.workbench.compare = {remember, toOpened};
})();

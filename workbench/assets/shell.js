// The frame in the page: theme, keys, dialogs, copying, and what is said when the app does not answer any more.
(() => {
  const root = document.documentElement;
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  // Theme. Gradio follows the system; what the person chose goes before it.
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const choice = () => localStorage.getItem('theme') ?? 'system';
  const applyTheme = () => {
    const dark = choice() === 'dark' || (choice() === 'system' && system.matches);
    root.dataset.theme = dark ? 'dark' : 'light';
    root.style.colorScheme = root.dataset.theme;
    if (document.body && document.body.classList.contains('dark') !== dark) document.body.classList.toggle('dark', dark);
    for (const button of document.querySelectorAll('[data-theme-choice]')) {
      const pressed = String(button.dataset.themeChoice === choice());
      if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
    }
  };
  applyTheme();
  system.addEventListener('change', applyTheme);
  document.addEventListener('DOMContentLoaded', () => {
    applyTheme();
    new MutationObserver(applyTheme).observe(document.body, {attributes: true, attributeFilter: ['class']});
  });
  window.addEventListener('storage', applyTheme);

  // Dialogs.
  const dialog = (name) => {
    const found = document.getElementById(`dialog-${name}`);
    if (found && !found.open) found.showModal();
  };
  const closeDialogs = () => {
    for (const open of document.querySelectorAll('dialog[open]')) open.close();
  };
  const leave = (address, name) => {
    if (address) window.location.href = address;
    else dialog(name);
  };

  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const before = button.textContent;
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = before; }, 1500);
  };

  // A press that takes seconds says so at once; after the event, which reads the button.
  const busy = (button) => setTimeout(() => {
    button.textContent = button.dataset.busy;
    button.disabled = true;
  });

  document.addEventListener('submit', (event) => {
    const button = event.target.querySelector('[data-busy]');
    if (button) busy(button);
  });
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const at = (selector) => target?.closest(selector);
    const theme = at('[data-theme-choice]');
    if (theme) {
      localStorage.setItem('theme', theme.dataset.themeChoice);
      applyTheme();
    }
    const opener = at('[data-dialog]');
    if (opener) dialog(opener.dataset.dialog);
    const copied = at('[data-copy]');
    if (copied) copy(copied);
    const pressed = at('button[type="button"][data-busy]');
    if (pressed) busy(pressed);
    if (at('[data-stopping]')) stopping(at('[data-stopping]').dataset.command);
    if (at('[data-close], dialog [data-action="tour"], dialog [data-action="stop"]') || target?.matches('dialog[open]')) {
      closeDialogs();
    }
    const view = at('a[data-view]');
    if (view && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      window.workbench.open(view.href);
    }
    const skip = at('[data-skip]');
    if (skip) {
      event.preventDefault();
      document.getElementById(skip.dataset.skip).focus();
    }
  });

  // Keys.
  const on = () => localStorage.getItem('shortcuts') !== 'off';
  document.addEventListener('change', (event) => {
    if (event.target.matches?.('[data-switch="shortcuts"]')) {
      localStorage.setItem('shortcuts', event.target.checked ? 'on' : 'off');
    }
  });
  const TYPED = 'textarea, select, [contenteditable="true"], [role="textbox"], [role="combobox"], [role="listbox"], '
    + 'input:not([type="checkbox"], [type="radio"], [type="range"], [type="button"])';
  const MOVED = 'input, [role="tab"], [role="slider"], [role="grid"], [role="radio"], summary, .sheet-frame';
  const typing = (target, key) => !(target instanceof Element)
    || target.closest(TYPED) !== null
    || (key.startsWith('Arrow') && target.closest(MOVED) !== null);
  const usable = (found) => {
    const fields = 'button, a, input, textarea';
    const inside = found.matches(fields) ? found : found.querySelector(fields);
    return inside && inside.checkVisibility() && !inside.disabled && inside.getAttribute('aria-disabled') !== 'true'
      ? inside : null;
  };
  const press = (selector) => {
    for (const found of selector.split(' | ').flatMap((each) => [...document.querySelectorAll(each)])) {
      const inside = usable(found);
      if (!inside) continue;
      if (inside.matches('input:not([type="checkbox"], [type="radio"]), textarea')) inside.focus();
      else inside.click();
      return true;
    }
    return false;
  };
  document.addEventListener('keydown', (event) => {
    if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === '?' && document.querySelector('#dialog-help[open]')) {
      event.preventDefault();
      closeDialogs();
      return;
    }
    if (typing(event.target, event.key) || document.querySelector('dialog[open]')) return;
    if (event.key === '?') {
      event.preventDefault();
      dialog('help');
      return;
    }
    const step = document.querySelector('#steps [role="tab"][aria-selected="true"]')?.dataset.tabId;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    for (const shortcut of window.workbenchShortcuts) {
      if (shortcut.key !== key || (shortcut.step && shortcut.step !== step)) continue;
      if (press(shortcut.selector)) {
        event.preventDefault();
        return;
      }
    }
  });

  // Panels are drawn anew while they are read: the button that had the focus keeps it.
  let held = null;
  document.addEventListener('focusin', (event) => {
    const panel = event.target.closest?.('.panel');
    const button = event.target.closest?.('[data-action]');
    held = panel && button ? {panel, button, action: button.dataset.action, value: button.dataset.value} : null;
  });
  document.addEventListener('focusout', (event) => {
    if (held && held.button.isConnected && event.relatedTarget) held = null;
  });
  const keepFocus = () => {
    if (!held || held.button.isConnected || document.activeElement !== document.body) return;
    const same = [...held.panel.querySelectorAll('[data-action]')]
      .find((button) => button.dataset.action === held.action && button.dataset.value === held.value);
    if (same) same.focus();
    else held = null;
  };

  // Gradio's columns become what they are for a screen reader.
  const landmarks = () => {
    const main = document.getElementById('main');
    if (main && !main.hasAttribute('role')) {
      main.setAttribute('role', 'region');
      main.setAttribute('aria-label', 'Steps');
      main.setAttribute('tabindex', '-1');
      const sidebar = document.getElementById('sidebar');
      sidebar.setAttribute('role', 'region');
      sidebar.setAttribute('aria-label', 'Workspace, jobs and machine');
      const keys = document.querySelector('[data-switch="shortcuts"]');
      if (keys) keys.checked = on();
    }
  };
  let planned = false;
  new MutationObserver(() => {
    keepFocus();
    if (planned) return;
    planned = true;
    setTimeout(() => {
      planned = false;
      applyTheme();
      landmarks();
    }, 60);
  }).observe(root, {childList: true, subtree: true});

  // Whether the app still answers. Two silences in a row are one too many.
  const LOOK_MILLISECONDS = 2500;
  let command = '';
  let asked = false;
  let known = null;
  let silences = 0;
  const stopping = (restart) => {
    command = restart;
    asked = true;
    banner('Stopping: jobs are cancelled, and what they finished is kept …');
  };
  const banner = (text) => {
    let shown = document.getElementById('gone');
    if (!text) {
      shown?.remove();
      delete root.dataset.gone;
      return;
    }
    if (!shown) {
      shown = element('div', 'gone');
      shown.id = 'gone';
      shown.setAttribute('role', 'alert');
      document.body.append(shown);
    }
    if (shown.dataset.text !== text) {
      shown.dataset.text = text;
      shown.replaceChildren(element('p', '', text));
    }
    root.dataset.gone = 'true';
  };
  const stopped = () => {
    if (document.getElementById('stopped')) return;
    banner('');
    root.dataset.gone = 'true';
    const page = element('main', 'stopped');
    page.id = 'stopped';
    const words = element('div', '');
    words.append(
      element('h1', '', 'Open Model Workbench has stopped'),
      element('p', '', 'You can close this window. Start again with:'),
      element('code', '', command),
    );
    page.append(words);
    document.body.append(page);
    document.querySelector('gradio-app')?.setAttribute('inert', '');
    document.title = 'Stopped · Open Model Workbench';
  };
  const typed = () => {
    const field = document.activeElement;
    return field?.matches('textarea, input:not([type="checkbox"], [type="radio"])') && field.value !== '';
  };
  const back = (identity) => {
    if (known === null) known = identity;
    silences = 0;
    if (identity === known) {
      if (root.dataset.gone && !asked) banner('');
      return;
    }
    if (!typed()) {
      window.location.reload();
      return;
    }
    banner('The app was started again. Reload this page; copy first what you have just typed.');
  };
  const look = async () => {
    try {
      const answer = await fetch('gradio_api/app_id', {cache: 'no-store'});
      back((await answer.json()).app_id);
    } catch {
      silences += 1;
      if (asked) stopped();
      else if (silences > 1) {
        banner('The app has stopped or cannot be reached. This page goes on by itself when it is back; '
          + 'start it again with python3 launch.py.');
      }
    }
  };
  const watching = () => setTimeout(async () => {
    await look();
    watching();
  }, asked ? 500 : LOOK_MILLISECONDS);
  look().then(watching);

  Object.assign(window.workbench, {dialog, leave});
})();

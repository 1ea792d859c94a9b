// Makes gradio's page start and answer sooner (benchmarks/ui.py). In a page of this size, looking things up is most of
// its work, and most of that is for nothing:
// - For each component it looks through every event, and for each event through every component, all of it through
//   Svelte's proxies. Events never change while the page is open, so they need no proxy, which Svelte gives to plain
//   arrays alone; and an event that follows another one names no component to look for.
// - Every event tells its progress to all inputs of all events before it, and to its own that no validator has found
//   them wrong. No component here shows the one, none has the other.
// - For each component that can trigger an event it reads what the event wants to know of it, mostly nothing.
(() => {
  class Unwatched extends Array {}
  class Untold extends Array {
    static get [Symbol.species]() { return Array; }

    includes() { return false; }

    // Before the page is drawn: which components are inputs, and so can be edited.
    forEach(...does) { if (!document.getElementById('steps')) super.forEach(...does); }
  }
  class Unread extends Array {
    static get [Symbol.species]() { return Array; }

    map() { return []; }
  }
  let held;
  Object.defineProperty(window, 'gradio_config', {
    configurable: true,
    get: () => held,
    set: (config) => {
      for (const event of config.dependencies ?? []) {
        event.targets = event.targets.filter(([id]) => id !== null);
        Object.setPrototypeOf(event.inputs, Untold.prototype);
        if (!event.event_specific_args?.length) Object.setPrototypeOf(event.targets, Unread.prototype);
      }
      if (config.dependencies) Object.setPrototypeOf(config.dependencies, Unwatched.prototype);
      held = config;
    },
  });
})();

// Makes gradio's page start and answer sooner (benchmarks/ui.py). In a page of this size, looking things up is most of
// its work, and most of that is for nothing:
// - For each component it looks through every event, and for each event through every component, all of it through
//   Svelte's proxies. Events never change while the page is open, so they need no proxy, which Svelte gives to plain
//   arrays alone; and an event that follows another one names no component to look for.
// - Every event tells its progress to all inputs of all events before it. No component here shows it.
(() => {
  class Unwatched extends Array {}
  class Untold extends Array {
    static get [Symbol.species]() { return Array; }

    includes() { return false; }
  }
  let held;
  Object.defineProperty(window, 'gradio_config', {
    configurable: true,
    get: () => held,
    set: (config) => {
      for (const event of config.dependencies ?? []) {
        event.targets = event.targets.filter(([id]) => id !== null);
        Object.setPrototypeOf(event.inputs, Untold.prototype);
      }
      if (config.dependencies) Object.setPrototypeOf(config.dependencies, Unwatched.prototype);
      held = config;
    },
  });
})();

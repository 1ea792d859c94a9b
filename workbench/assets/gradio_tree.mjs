// Makes gradio's page build its tree of components once, and look things up in it by their number (benchmarks/ui.py).
// As it comes, gradio
// - builds the tree when the page is set up, and all of it a second time before anything is drawn, from the same config;
// - walks through the tree, and Svelte's proxies around it, for each value that an event needs;
// - looks through all events for each component.
// What is put in place of these gives the same results. Everything else of gradio stays as it is.
import { AppTree } from 'GRADIO_CORE';

const whole = Object.getOwnPropertyDescriptors(AppTree.prototype);
const original = (name) => whole[name]?.value;

class Lookup {
  reloaded = false;
  readers = new Map(); // number of a component that is drawn: {set, read} it registered
  nodes = null; // number of a component: its node
}
const lookups = new WeakMap();
const lookup = (tree) => {
  if (!lookups.has(tree)) lookups.set(tree, new Lookup());
  return lookups.get(tree);
};

const nodesOf = (tree) => {
  const nodes = new Map();
  const visit = (node) => {
    nodes.set(node.id, node);
    node.children?.forEach(visit);
  };
  visit(tree.root);
  return nodes;
};

const namesOfEvents = new WeakMap();
const namesBy = (events) => {
  if (!namesOfEvents.has(events)) {
    const names = new Map();
    for (const event of events) {
      for (const [id, name] of new Map([...event.targets].reverse())) { // of one event the first counts
        if (name) names.set(id, [...(names.get(id) ?? []), name]);
      }
    }
    namesOfEvents.set(events, names);
  }
  return namesOfEvents.get(events);
};

const spared = {
  reload(...config) {
    const known = lookup(this);
    known.nodes = null;
    if (known.reloaded) return original('reload').apply(this, config);
    known.reloaded = true; // just built
    return undefined;
  },
  rerender(...render) {
    lookup(this).nodes = null;
    return original('rerender').apply(this, render);
  },
  register_component(id, set, read) {
    lookup(this).readers.set(id, { set, read });
    return original('register_component').call(this, id, set, read);
  },
  unregister_component(id, set) {
    const { readers } = lookup(this);
    if (!set || readers.get(id)?.set === set) readers.delete(id);
    return original('unregister_component').call(this, id, set);
  },
  async get_state(id) {
    const known = lookup(this);
    const reader = known.readers.get(id);
    if (reader) return reader.read();
    known.nodes ??= nodesOf(this);
    const node = known.nodes.get(id);
    return node ? { value: node.props.props.value } : null;
  },
  find_attached_events(node, events) {
    node.props.shared_props.attached_events = namesBy(events).get(node.id) ?? [];
    return node;
  },
};

if (Object.keys(spared).every((name) => typeof original(name) === 'function')) Object.assign(AppTree.prototype, spared);

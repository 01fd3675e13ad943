// Keeps the listener that the example adds, so that another can stand before it.

const add = globalThis.addEventListener;
let added;

globalThis.addEventListener = (_type, listener) => {
  added = listener;
};

export const example = () => added;
export const listen = (listener) => add("fetch", listener);

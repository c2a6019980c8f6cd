// Elements of the page. Texts from files go in as text, never as HTML.

/** A new element with properties (those of `dataset` too) and children, which are elements or texts. */
export function element(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

export function button(label, action) {
  return element("button", { type: "button", onclick: action }, label);
}

/** A button that takes a file. */
export function fileButton(label, accept, action) {
  const input = element("input", { type: "file", accept, hidden: true });
  input.onchange = () => {
    if (input.files.length) action(input.files[0]);
    input.value = "";
  };
  return element("label", { className: "button" }, label, input);
}

/** A number for people. */
export function shown(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6 ? value.toPrecision(3) : value.toFixed(3);
}
